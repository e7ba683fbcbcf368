// What the pages do better with JavaScript; each works without.
const main = document.getElementById("main");
const said = document.getElementById("said");
const later = (work, seconds) => setTimeout(work, seconds * 1000);

const inLocalTime = (root) => {
  for (const time of root.querySelectorAll("time")) {
    time.title = time.textContent;
    time.textContent = new Date(time.dateTime).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  }
};

// Null where the session is over.
const fetchPage = async () => {
  const answer = await fetch(location.href);
  const text = await answer.text();
  return answer.ok && !answer.redirected ? new DOMParser().parseFromString(text, "text/html") : null;
};

const showEnd = async (job) => {
  const page = await fetchPage();
  if (!page) return location.reload();
  document.title = page.title;
  main.replaceChildren(...page.getElementById("main").childNodes);
  inLocalTime(main);
  said.textContent = job.sentence;
};

let saidName, saidAt = 0;
const showProgress = (job) => {
  for (const place of main.querySelectorAll("[data-number]")) place.textContent = job.shown[place.dataset.number];
  main.querySelector("[data-said]").textContent = job.sentence;
  const state = main.querySelector(".state");
  state.className = `state ${job.tone}`;
  state.textContent = job.name;
  const bar = main.querySelector("progress");
  if (bar && job.percent === null) bar.removeAttribute("value");
  else if (bar) bar.value = job.percent;
  // Told to listeners: a new state at once, numbers every ten seconds.
  if (job.name !== saidName || Date.now() - saidAt > 10000) {
    said.textContent = job.sentence;
    [saidName, saidAt] = [job.name, Date.now()];
  }
};

const followJob = async () => {
  try {
    const answer = await fetch(main.dataset.progress);
    if (answer.redirected || Math.floor(answer.status / 100) === 4) return location.reload();
    const job = await answer.json();
    // A job ends before its files are written.
    const isNews = job.is_over || (job.terminal && main.querySelector("progress"));
    await (isNews ? showEnd : showProgress)(job);
    if (!job.is_over) later(followJob, 1);
  } catch {
    said.textContent = "No answer from the service; trying again.";
    later(followJob, 5);
  }
};
if (main.dataset.progress) later(followJob, 1);

const followed = main.querySelector("[data-follow]");
const followList = async () => {
  const isInUse = document.hidden || followed.contains(document.activeElement);
  const page = isInUse ? null : await fetchPage().catch(() => null);
  const fresh = page?.querySelector("[data-follow]");
  if (fresh) {
    followed.replaceChildren(...fresh.childNodes);
    followed.dataset.follow = fresh.dataset.follow;
    inLocalTime(followed);
  }
  later(followList, followed.dataset.follow);
};
if (followed) later(followList, followed.dataset.follow);

const prepareUpload = (form) => {
  const input = form.querySelector("[type=file]");
  const area = form.querySelector(".drop");
  const button = form.querySelector("button");
  const sending = form.querySelector("progress");
  const refusal = document.getElementById("refusal");
  form.querySelector("[data-drop-hint]").hidden = false;

  const setSending = (is) => {
    button.disabled = is;
    sending.hidden = !is;
  };
  const refuse = (text) => {
    setSending(false);
    const notice = document.createElement("div");
    notice.className = "notice bad";
    notice.textContent = text;
    refusal.replaceChildren(notice);
    refusal.scrollIntoView({ block: "center" });
  };
  const send = () => {
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.responseType = "document";
    request.upload.onprogress = (sent) => { sending.value = (100 * sent.loaded) / sent.total; };
    request.onerror = () => refuse("The connection broke off; the file was not taken.");
    request.onload = () => {
      if (request.status < 400) return location.assign(request.responseURL);
      const told = request.response?.querySelector("[role=alert]");
      refuse(told?.textContent ?? `The service answered with status ${request.status}.`);
    };
    request.send(new FormData(form));
    setSending(true);
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const [file] = input.files;
    if (file.size <= form.dataset.limit) return send();
    refuse(`Not taken: ${file.name} is larger than ${form.dataset.limitWords}, the limit.`);
  });
  for (const name of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(name, (event) => {
      event.preventDefault();
      area.classList.toggle("over", name === "dragover");
      const files = name === "drop" ? event.dataTransfer.files : [];
      if (files.length === 1) input.files = files;
      if (files.length > 1) refuse("Not taken: one file at a time.");
    });
  }
};
const form = document.getElementById("upload");
if (form) prepareUpload(form);
inLocalTime(document);
