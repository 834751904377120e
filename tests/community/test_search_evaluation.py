"""Evaluating by a set in BEIR form, rebuilding by command, and embedders."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from community.search.embedders import EmbedderAway, OpenAICompatible, embedder
from community.search.models import Lexeme, SearchDocument
from tests.community.search import draft, put
from tests.factories import make_thread


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three documents, two questions."""
    corpus = [
        {"_id": "a", "title": "Shutter speeds", "text": "The shutter sticks when it is cold."},
        {"_id": "b", "title": "", "text": "A lens with fungus, and how to clean the lens."},
        {"_id": "c", "title": "", "text": "Seals of foam or yarn. The shutter is fine."},
    ]
    asked = [{"_id": "1", "text": "shutter cold"}, {"_id": "2", "text": "cleaning fungus"}]
    for name, lines in (("corpus", corpus), ("queries", asked)):
        text = "\n".join(json.dumps(line) for line in lines)
        (tmp_path / f"{name}.jsonl").write_text(text, encoding="utf-8")
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\n1\ta\t1\n2\tb\t1\n", encoding="utf-8"
    )
    return tmp_path


def run(*arguments: Any, **options: Any) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=StringIO(), **options)
    return out.getvalue()


@pytest.mark.django_db
def test_a_set_is_measured_apart_from_the_site(folder):
    put([draft("shutter cold shutter cold", "Shutter cold")])
    before = list(Lexeme.objects.order_by("word").values_list())
    said = run("evaluate_search", folder)
    assert "2 queries over 3 documents" in said
    assert "nDCG@10 1.0000  recall@10 1.0000  recall@100 1.0000  MRR@10 1.0000" in said
    assert SearchDocument.objects.count() == 1
    assert list(Lexeme.objects.order_by("word").values_list()) == before


@pytest.mark.django_db
def test_typos_are_put_in_and_mended(folder):
    said = run("evaluate_search", folder, typos=1)
    assert "1 typo a query: 2 queries" in said
    assert "kept 100.0% of nDCG@10" in said


@pytest.mark.django_db
def test_a_folder_without_a_set_is_named(tmp_path):
    with pytest.raises(CommandError, match=r"corpus\.jsonl is missing"):
        run("evaluate_search", tmp_path)


@pytest.mark.django_db
def test_the_rebuild_command_says_what_it_did(ada, group):
    make_thread(ada, group, replies=2)
    assert "documents written anew." in run("rebuild_search")
    assert "0 documents written anew." in run("rebuild_search")
    assert SearchDocument.objects.filter(kind="post").count() == 3


# -- embedders ----------------------------------------------------------------------------------


def server(monkeypatch, answer: Any) -> OpenAICompatible:
    made = OpenAICompatible("http://embedder.example/", "key", "small", 2)

    def post(url: str, **options: Any) -> Any:
        assert url == "http://embedder.example/v1/embeddings"
        assert options["json"]["model"] == "small"
        if isinstance(answer, Exception):
            raise answer
        return SimpleNamespace(raise_for_status=lambda: None, json=lambda: answer)

    monkeypatch.setattr(made.session, "post", post)
    return made


def test_a_server_answers_in_any_order(monkeypatch):
    rows = [{"index": 1, "embedding": [3, 4]}, {"index": 0, "embedding": [1, 2]}]
    made = server(monkeypatch, {"data": rows})
    assert made.of_documents(["a", "b"]) == [[1.0, 2.0], [3.0, 4.0]]
    assert made.session.headers["Authorization"] == "Bearer key"


@pytest.mark.parametrize(
    "answer",
    [
        requests.Timeout(),
        {"data": [{"index": 0, "embedding": [1, 2, 3]}]},
        {"data": []},
        {"error": "no"},
        [],
    ],
)
def test_a_server_that_is_away_is_no_error_for_a_search(monkeypatch, answer):
    made = server(monkeypatch, answer)
    with pytest.raises(EmbedderAway):
        made.of_documents(["a"])
    assert made.of_query("a") is None
    assert made.rests_until > 0


def test_embedders_say_what_they_lack(settings, tmp_path):
    assert embedder().is_on is False
    assert embedder().of_query("x") is None
    settings.SEARCH_EMBEDDER = "openai"
    with pytest.raises(ImproperlyConfigured, match="SEARCH_EMBEDDER_URL"):
        embedder()
    settings.SEARCH_EMBEDDER = "onnx"
    settings.SEARCH_EMBEDDER_PATH = str(tmp_path)
    with pytest.raises(ImproperlyConfigured, match=r"onnxruntime|model\.onnx"):
        embedder()
    settings.SEARCH_EMBEDDER = "magic"
    with pytest.raises(ImproperlyConfigured, match="magic"):
        embedder()
