"""The documents' own samples of imports, as they stand there but for the ids, whose bullets are filled in.

Source: https://docs.celigo.com/hc/en-us/articles/7707882031131 (read 2026-11-28).
"""

import json

GOT = """
{
  "_id":"594••••••••••••••••••662",
  "lastModified":"2017-11-28T18:38:19.851Z",
  "name":"Upload File to FTP Site",
  "_connectionId":"56f••••••••••••••••••77d",
  "distributed":false,
  "apiIdentifier":"ib8f75140f",
  "file":{
    "skipAggregation":false,
    "type":"csv",
    "csv":{
      "rowDelimiter":"\\n",
      "columnDelimiter":",",
      "includeHeader":false,
      "wrapWithQuotes":false,
      "replaceTabWithSpace":false,
      "replaceNewlineWithSpace":false
    }
  },
  "ftp":{
    "directoryPath":"/test",
    "fileName":"file-{{timestamp}}.csv"
  },
  "mapping":{
    "fields":[
      {
        "extract":"internal_id",
        "generate":"id"
      },
      {
        "extract":"item_id",
        "generate":"sku"
      },
      {
        "extract":"name",
        "generate":"name"
      },
      {
        "extract":"sales_description",
        "generate":"description"
      },
      {
        "extract":"rate",
        "generate":"price"
      },
      {
        "extract":"qty_on_hand",
        "generate":"qty"
      }
    ]
  }
}
"""
_RENAMED = GOT.replace('Site"', 'Site (updated!)"').replace('"generate":"id"', '"generate":"updated_id"')
PUT = _RENAMED.replace("2017-11-28T18:38:19.851Z", "2017-06-23T17:31:04.446Z").replace(
    '"type":"csv",', '"type":"csv",\n    "lookups":[\n    ],'
)
PUT_ANSWER = _RENAMED.replace("2017-11-28T18:38:19.851Z", "2017-11-28T18:47:09.553Z")
MADE_HERE = ("_id", "lastModified", "apiIdentifier", "createdAt")
"""Ids and times; the sample is older than `createdAt`."""


def sample(text, import_id, connection_id):
    document = json.loads(text)
    return document | {"_id": import_id, "_connectionId": connection_id}


def without_ids_and_times(document):
    return {key: value for key, value in document.items() if key not in MADE_HERE}


def test_the_documented_samples_of_get_and_put_are_answered_as_documented(operator):
    server = {"type": "sftp", "hostURI": "files.example.org", "username": "me"}
    connection = operator.connection({"type": "ftp", "name": "FTP site", "ftp": server})["_id"]
    first = sample(GOT, "0" * 24, connection)
    made = operator.create(first)
    assert set(made) - set(first) == {"createdAt"}
    got = operator.get(made["_id"])
    assert without_ids_and_times(got) == without_ids_and_times(first)
    put = sample(PUT, made["_id"], connection)
    assert (put["file"]["lookups"], put["lastModified"]) == ([], "2017-06-23T17:31:04.446Z")
    answer = operator.put(made["_id"], put)
    documented = sample(PUT_ANSWER, made["_id"], connection)
    assert without_ids_and_times(answer) == without_ids_and_times(documented)
    assert operator.get(made["_id"]) == answer
    assert answer["lastModified"] > got["lastModified"] > put["lastModified"]
    for kept in ("apiIdentifier", "createdAt"):
        assert answer[kept] == got[kept]
