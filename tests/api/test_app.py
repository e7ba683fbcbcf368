def test_health_needs_no_key_and_every_answer_says_how_it_may_be_used(service):
    with service.client() as client:
        answer = client.get("/health")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert len(answer.headers["X-Request-Id"]) == 16
    assert "server" not in answer.headers


def test_what_the_framework_refuses_is_a_problem_too(client):
    missing = client.get("/nowhere")
    assert missing.status_code == 404
    assert missing.headers["Content-Type"] == "application/problem+json"
    assert missing.json()["type"] == "/problems/not-found"
    wrong = client.delete("/health")
    assert (wrong.status_code, wrong.json()["type"]) == (405, "/problems/method-not-allowed")
    assert wrong.headers["Allow"] == "GET"
