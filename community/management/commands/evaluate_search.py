"""Measure how well search finds, by a set in BEIR form."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from community.search.evaluation import Figures, NotASet, evaluate


class Command(BaseCommand):
    help = (
        "Index a set in BEIR form (corpus.jsonl, queries.jsonl, qrels/test.tsv or qrels.tsv) apart "
        "from the site, ask its queries the way members do, and print how well that went."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--typos",
            type=int,
            default=0,
            choices=(0, 1, 2),
            help="ask again with so many slips in the rarest word of each query",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        bar = tqdm(unit="", file=sys.stderr, mininterval=0.2)

        def progress(what: str, done: int) -> None:
            if bar.desc != f"{what}: ":
                bar.reset()
                bar.set_description(what)
            bar.update(done)

        try:
            clean, wrong = evaluate(options["folder"], typos=options["typos"], progress=progress)
        except NotASet as missing:
            raise CommandError(str(missing)) from missing
        finally:
            bar.close()
        self._show("as asked", clean)
        if wrong is not None:
            self._show(f"{options['typos']} typo a query", wrong)
            ratio = wrong.ndcg_10 / clean.ndcg_10 if clean.ndcg_10 else 0.0
            self.stdout.write(f"kept {ratio:.1%} of nDCG@10")

    def _show(self, name: str, figures: Figures) -> None:
        self.stdout.write(
            f"{name}: {figures.queries} queries over {figures.documents} documents\n"
            f"  nDCG@10 {figures.ndcg_10:.4f}  recall@10 {figures.recall_10:.4f}"
            f"  recall@100 {figures.recall_100:.4f}  MRR@10 {figures.mrr_10:.4f}\n"
            f"  p50 {figures.p50:.1f} ms  p95 {figures.p95:.1f} ms  mended {figures.corrected}"
        )
