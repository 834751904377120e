"""Likeness of meaning: texts to vectors, by what the operator gives. None by default.

Documents are embedded in Celery alone. A search waits for its own vector for
SEARCH_EMBEDDER_SECONDS at most and goes by words when there is none.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Protocol

import requests
import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

log = structlog.stdlib.get_logger(__name__)

DOCUMENTS_SECONDS: Final = 20.0
TEXT_MAX_CHARS: Final = 2_000  # of a document; models read a few hundred words
REST_SECONDS: Final = 30.0  # after a failure a query does not ask again for so long

Vector = Sequence[float]


class EmbedderAway(RuntimeError):
    """The embedder did not answer, or not with vectors of the right length."""


class Embedder(Protocol):
    """Turns texts into vectors of SEARCH_EMBEDDER_DIMENSIONS numbers."""

    is_on: bool

    def of_documents(self, texts: Sequence[str]) -> list[Vector]:
        """Return a vector for each text. Raises EmbedderAway."""

    def of_query(self, text: str) -> Vector | None:
        """Return the vector of a query, None when there is none in time. Never raises."""


class NoEmbedder:
    """Search by words alone."""

    is_on = False

    def of_documents(self, texts: Sequence[str]) -> list[Vector]:
        raise EmbedderAway("There is no embedder: SEARCH_EMBEDDER is none.")

    def of_query(self, text: str) -> Vector | None:
        return None


class OpenAICompatible:
    """Any server that answers POST /v1/embeddings: the operator's own, or a service."""

    is_on = True

    def __init__(self, url: str, key: str, model: str, dimensions: int) -> None:
        if not url or not model:
            raise ImproperlyConfigured(
                "SEARCH_EMBEDDER=openai wants SEARCH_EMBEDDER_URL and SEARCH_EMBEDDER_MODEL."
            )
        url = url.rstrip("/")
        self.url = url if url.endswith("/embeddings") else f"{url}/v1/embeddings"
        self.model, self.dimensions = model, dimensions
        self.session = requests.Session()
        if key:
            self.session.headers["Authorization"] = f"Bearer {key}"
        self.rests_until = 0.0

    def of_documents(self, texts: Sequence[str]) -> list[Vector]:
        return self._ask([text[:TEXT_MAX_CHARS] for text in texts], DOCUMENTS_SECONDS)

    def of_query(self, text: str) -> Vector | None:
        if not text or time.monotonic() < self.rests_until:
            return None
        try:
            return self._ask([text], settings.SEARCH_EMBEDDER_SECONDS)[0]
        except EmbedderAway as away:
            self.rests_until = time.monotonic() + REST_SECONDS
            log.warning("embedder away", reason=str(away), rests_seconds=REST_SECONDS)
            return None

    def _ask(self, texts: Sequence[str], seconds: float) -> list[Vector]:
        try:
            answer = self.session.post(
                self.url,
                json={"model": self.model, "input": list(texts)},
                timeout=seconds,
                allow_redirects=False,
            )
            answer.raise_for_status()
            rows = sorted(answer.json()["data"], key=lambda row: row["index"])
            vectors: list[Vector] = [[float(number) for number in row["embedding"]] for row in rows]
        except (requests.RequestException, ValueError, KeyError, TypeError) as error:
            raise EmbedderAway(f"{type(error).__name__} from {self.url}") from error
        if len(vectors) != len(texts) or any(len(one) != self.dimensions for one in vectors):
            raise EmbedderAway(f"{self.url} did not answer {self.dimensions} numbers a text.")
        return vectors


class Onnx:
    """A sentence model in a folder of the operator's: model.onnx and tokenizer.json.

    Mean of the last hidden states, at length one: what sentence-transformers' models expect.
    """

    is_on = True

    def __init__(self, path: str, dimensions: int) -> None:
        try:
            import numpy
            import onnxruntime  # type: ignore[import-not-found,unused-ignore]
            import tokenizers  # type: ignore[import-not-found,unused-ignore]
        except ImportError as missing:
            raise ImproperlyConfigured(
                "SEARCH_EMBEDDER=onnx wants the packages onnxruntime and tokenizers installed: "
                f"{missing.name} is not."
            ) from missing
        folder = Path(path)
        model, tokenizer = folder / "model.onnx", folder / "tokenizer.json"
        for file in (model, tokenizer):
            if not path or not file.is_file():
                raise ImproperlyConfigured(
                    f"SEARCH_EMBEDDER_PATH must hold model.onnx and tokenizer.json; {file} is not."
                )
        self.numpy: Any = numpy
        self.model = onnxruntime.InferenceSession(str(model))
        self.tokenizer = tokenizers.Tokenizer.from_file(str(tokenizer))
        self.tokenizer.enable_padding()
        self.tokenizer.enable_truncation(256)
        self.dimensions = dimensions

    def of_documents(self, texts: Sequence[str]) -> list[Vector]:
        return self._embed([text[:TEXT_MAX_CHARS] for text in texts])

    def of_query(self, text: str) -> Vector | None:
        if not text:
            return None
        try:
            return self._embed([text])[0]
        except Exception:
            log.exception("embedding a query failed")
            return None

    def _embed(self, texts: Sequence[str]) -> list[Vector]:
        numpy = self.numpy
        read = self.tokenizer.encode_batch(list(texts))
        given = {
            "input_ids": numpy.array([one.ids for one in read], dtype=numpy.int64),
            "attention_mask": numpy.array([one.attention_mask for one in read], numpy.int64),
            "token_type_ids": numpy.array([one.type_ids for one in read], dtype=numpy.int64),
        }
        wanted = {slot.name for slot in self.model.get_inputs()}
        states = self.model.run(None, {name: given[name] for name in given if name in wanted})[0]
        mask = given["attention_mask"][..., None]
        means = (states * mask).sum(1) / mask.sum(1).clip(1)
        means /= numpy.linalg.norm(means, axis=1, keepdims=True).clip(1e-9)
        if means.shape[1] != self.dimensions:
            raise EmbedderAway(f"The model gives {means.shape[1]} numbers, not {self.dimensions}.")
        vectors: list[Vector] = means.tolist()
        return vectors


def embedder() -> Embedder:
    """Return the site's embedder, made once a process. Raises ImproperlyConfigured."""
    return _make(
        settings.SEARCH_EMBEDDER,
        settings.SEARCH_EMBEDDER_URL,
        settings.SEARCH_EMBEDDER_KEY,
        settings.SEARCH_EMBEDDER_MODEL,
        settings.SEARCH_EMBEDDER_PATH,
        settings.SEARCH_EMBEDDER_DIMENSIONS,
    )


@lru_cache(maxsize=4)
def _make(kind: str, url: str, key: str, model: str, path: str, dimensions: int) -> Embedder:
    if kind == "none":
        return NoEmbedder()
    if kind == "openai":
        return OpenAICompatible(url, key, model, dimensions)
    if kind == "onnx":
        return Onnx(path, dimensions)
    raise ImproperlyConfigured(f"SEARCH_EMBEDDER is {kind!r}; it is none, openai or onnx.")
