"""Finding, on PostgreSQL: ranks, permissions, corrections, filters, counts of words."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pgvector import SparseVector

from community.events import GroupChanged
from community.groups.models import Group, JoinMode, Membership, Template
from community.members.models import Block, Member
from community.search import finding, stems
from community.search.documents import Kind
from community.search.finding import find, newest
from community.search.handlers import index_changed_group
from community.search.models import Lexeme, SearchDocument, SearchDocumentQuerySet, SearchFigures
from community.search.models import Word as KnownWord
from community.search.pages import by_name, suggestions
from community.search.queries import Query, parse
from community.search.services import (
    embed_documents,
    put_drafts,
    rebuild,
    recount,
    refresh_lexemes,
    write_documents,
    write_missing,
)
from community.threads.editing import edit_post
from community.threads.models import Thread
from community.threads.services import choose_answer, lock_thread, post_hidden_changed
from tests.community.search import draft, index, put, searchable_thread
from tests.factories import join, make_group, make_member, make_post, make_thread
from tests.outbox import run_outbox

pytestmark = pytest.mark.django_db

GUEST = AnonymousUser()


def found(text: str, viewer=GUEST, **options) -> list[int]:
    return [hit.object_id for hit in find(parse(text), viewer, **options).hits]


def counted(model) -> dict[str, int]:
    return dict(model.objects.filter(documents__gt=0).values_list("word", "documents"))


# -- ranks --------------------------------------------------------------------------------------


def plain_bm25(query: list[str], documents: dict[int, list[list[str]]]):
    """BM25 as the textbook has it, sharing no code with ours: the reference."""
    n = len(documents)
    lengths = {pk: sum(map(len, fields)) for pk, fields in documents.items()}
    average = sum(lengths.values()) / n
    holding = Counter(
        word for fields in documents.values() for word in {w for field in fields for w in field}
    )
    scores = {}
    for pk, (title, tags, text) in documents.items():
        score = 0.0
        for word in query:
            tf = 3 * title.count(word) + 2 * tags.count(word) + text.count(word)
            if tf:
                idf = math.log((n - holding[word] + 0.5) / (holding[word] + 0.5) + 1)
                norm = 1 - 0.75 + 0.75 * lengths[pk] / average
                score += idf * tf * 2.2 / (tf + 1.2 * norm)
        if score:
            scores[pk] = score
    return scores


def test_scores_are_those_of_a_plain_bm25():
    chance = random.Random(5)
    vocabulary = [f"w{chr(97 + n // 26)}{chr(97 + n % 26)}q" for n in range(200)]
    chosen = [min(int(chance.expovariate(0.03)), 199) for _ in range(40_000)]
    source = iter(vocabulary[n] for n in chosen)
    texts = {}
    drafts = []
    for _ in range(300):
        fields = [
            [next(source) for _ in range(chance.randrange(low, high))]
            for low, high in ((1, 6), (0, 3), (5, 80))
        ]
        one = draft(" ".join(fields[2]), " ".join(fields[0]), " ".join(fields[1]))
        drafts.append(one)
        texts[one.object_id] = fields
    put(drafts)
    # The weights depend on the average length, known only now.
    put_drafts(Kind.POST, [one.object_id for one in drafts], drafts, afresh=True)
    for _ in range(40):
        asked = [vocabulary[min(int(chance.expovariate(0.02)), 199)] for _ in range(4)]
        wanted = plain_bm25(asked, texts)
        hits = find(Query(words=tuple(asked)), GUEST, limit=100, correcting=False).hits
        assert {hit.object_id for hit in hits} <= wanted.keys()
        assert len(hits) == min(100, len(wanted))
        for hit in hits:
            assert hit.score == pytest.approx(wanted[hit.object_id], rel=1e-4)
        best = sorted(wanted.values(), reverse=True)[: len(hits)]
        assert [hit.score for hit in hits] == pytest.approx(best, rel=1e-4)


def test_a_title_counts_for_more_than_a_text_and_stems_meet():
    in_text, in_title = put([draft("polishing an optra"), draft("x", "Polished optras")])
    assert found("polish optra") == [in_title, in_text]


def test_a_query_of_common_words_only_finds_nothing():
    put([draft("what is the thing")])
    assert found("the is what") == []


def test_chinese_is_found_by_parts_of_words():
    first, second = put([draft("这台数码相机很好"), draft("机会很多")])
    assert found("数码相机") == [first, second]
    assert found('"数码相机"') == [first]
    assert found('"相机"') == [first]


def test_accents_do_not_matter():
    (pk,) = put([draft("Café Zürich")])
    assert found("cafe zurich") == [pk]
    assert found("CAFÉ") == [pk]


def test_a_phrase_stands_word_by_word():
    right, wrong = put([draft("the light seals are gone"), draft("seals in the light")])
    assert found('"light seals"') == [right]
    assert found('"seals in the light"') == [wrong]
    assert set(found("light seals")) == {right, wrong}


def test_a_phrase_does_not_span_title_and_text():
    put([draft("seals", "Light")])
    assert found('"light seals"') == []


def test_a_minus_leaves_out():
    kept, _ = put([draft("camera film"), draft("camera digital")])
    assert found("camera -digital") == [kept]
    assert found('camera -"camera digital"') == [kept]


def test_a_star_stands_for_the_commonest_words_that_begin_so():
    ids = put([draft("serviced body"), draft("services"), draft("serviced"), draft("services x")])
    assert set(found("serv*")) == set(ids)
    assert found("zzz*") == []


def test_joined_words_meet_both_ways():
    ids = put([draft("an XT-30"), draft("an xt30")])
    assert set(found("xt30")) == set(ids)
    assert found("xt-30")[0] == ids[0]


# -- who may read what --------------------------------------------------------------------------


@pytest.fixture
def maze():
    """12 groups, half of them hidden, 20 members in some, 900 documents with 30 common words."""
    chance = random.Random(9)
    members = Member.objects.bulk_create(
        Member(handle=f"m{n}", name=f"M {n}", email=f"m{n}@shoal.example") for n in range(20)
    )
    groups = Group.objects.bulk_create(
        Group(
            slug=f"g{n}",
            name=f"Circle {n}",
            template=Template.FITNESS,
            join_mode=JoinMode.HIDDEN if n % 2 else JoinMode.OPEN,
        )
        for n in range(12)
    )
    inside = {
        member.pk: {group.pk for group in groups if chance.random() < 0.25} for member in members
    }
    Membership.objects.bulk_create(
        Membership(group_id=group, member_id=member)
        for member, its in inside.items()
        for group in its
    )
    vocabulary = [f"word{chr(97 + n)}{chr(122 - n % 26)}ing" for n in range(26)]
    secrets = {group.pk: "".join(chance.sample("bcdfghjklm", 9)) for group in groups}
    drafts = []
    for n in range(900):
        group = groups[n % 12]
        said = chance.choices(vocabulary, k=8)
        if n // 12 % 3 == 0:
            said.append(secrets[group.pk])
        drafts.append(draft(" ".join(said), " ".join(said[:3]), group_id=group.pk))
    put(drafts)
    hidden = {group.pk for group in groups if group.join_mode == JoinMode.HIDDEN}
    return members, inside, hidden, drafts, vocabulary, secrets


def leaks_of(maze, searches: int, search) -> tuple[int, int, int]:
    """Search for everybody; return (cases, leaks, shortfalls).

    A case is a document that answers a search by its words, in a group hidden from the searcher.
    It leaks when it is found, or when room goes to it: fewer come back than there are.
    """
    members, inside, hidden, drafts, vocabulary, secrets = maze
    chance = random.Random(2)
    group_of = {one.object_id: one.group_id for one in drafts}
    words_of = {one.object_id: set(one.text.split()) for one in drafts}
    cases = leaks = short = 0
    for n in range(searches):
        viewer = GUEST if n % 5 == 0 else members[n % 20]
        readable = inside.get(viewer.pk, set())
        asked = chance.choice(
            [chance.choices(vocabulary, k=2), [chance.choice(list(secrets.values()))]]
        )
        matching = {pk for pk, said in words_of.items() if said & set(asked)}
        closed = {pk for pk in matching if group_of[pk] in hidden and group_of[pk] not in readable}
        got = search(Query(words=tuple(asked)), viewer)
        cases += len(closed)
        leaks += len(set(got) & closed)
        short += len(got) < min(5, len(matching - closed))
    return cases, leaks, short


def test_of_ten_thousand_documents_of_hidden_groups_none_is_found(maze):
    def search(query, viewer):
        return [hit.object_id for hit in find(query, viewer, limit=5, correcting=False).hits]

    cases, leaks, short = leaks_of(maze, 400, search)
    assert cases >= 10_000
    assert (leaks, short) == (0, 0)


def test_the_same_look_finds_the_leak_of_an_unscoped_search(maze, monkeypatch):
    monkeypatch.setattr(SearchDocumentQuerySet, "visible_to", lambda rows, viewer: rows.all())

    def search(query, viewer):
        return [hit.object_id for hit in find(query, viewer, limit=5, correcting=False).hits]

    _, leaks, _ = leaks_of(maze, 60, search)
    assert leaks > 0


def test_the_same_look_finds_that_filtering_afterwards_starves(maze, monkeypatch):
    scoped = SearchDocumentQuerySet.visible_to
    monkeypatch.setattr(SearchDocumentQuerySet, "visible_to", lambda rows, viewer: rows.all())

    def search(query, viewer):
        hits = find(query, viewer, limit=5, correcting=False).hits
        rows = SearchDocument.objects.filter(pk__in=[hit.pk for hit in hits])
        readable = set(scoped(rows, viewer).values_list("object_id", flat=True))
        return [hit.object_id for hit in hits if hit.object_id in readable]

    _, leaks, short = leaks_of(maze, 60, search)
    assert leaks == 0
    assert short > 0


def test_words_of_hidden_groups_are_in_no_count_suggestion_or_correction(maze):
    members, inside, hidden, drafts, _, secrets = maze
    refresh_lexemes()
    recount()
    known = counted(Lexeme).keys() | counted(KnownWord).keys()
    public = [group for group in secrets if group not in hidden]
    for group, secret in secrets.items():
        wrong = secret[:4] + secret[5] + secret[4] + secret[6:]
        for viewer in (GUEST, *members):
            outside = group in hidden and group not in inside.get(viewer.pk, set())
            answer = find(parse(wrong), viewer)
            if group in hidden:
                # Not even for its members: a correction must not tell of what it knows.
                assert not answer.corrected
            else:
                assert str(answer.query) == secret
            named = by_name(parse(secret), viewer)
            assert bool(named) <= (not outside)
    assert {secrets[group] for group in hidden}.isdisjoint(known)
    assert {secrets[group] for group in public} <= known
    assert SearchFigures.objects.get().documents == sum(
        one.group_id not in hidden for one in drafts
    )


def test_a_word_of_a_hidden_group_is_right_for_its_members(ada, cy, hidden_group):
    put([draft("shuttle one"), draft("shuttle two")])
    (secret,) = put([draft("the shuttel", group_id=hidden_group.pk)])
    assert found("shuttel", ada) == [secret]
    assert find(parse("shuttel"), ada).corrected is False
    assert str(find(parse("shuttel"), cy).query) == "shuttle"


def test_a_group_that_turns_hidden_takes_its_posts_and_words_along(group, ada):
    ids = put([draft("quokka here", group_id=group.pk), draft("quokka there", group_id=group.pk)])
    assert set(found("quokka")) == set(ids)
    Group.objects.filter(pk=group.pk).update(join_mode=JoinMode.HIDDEN)
    # At once: the group is asked, not the document.
    assert found("quokka") == []
    assert set(found("quokka", ada)) == set(ids)
    index_changed_group(GroupChanged(group_id=group.pk))
    assert "quokka" not in counted(Lexeme)
    assert "quokka" not in counted(KnownWord)
    Group.objects.filter(pk=group.pk).update(join_mode=JoinMode.OPEN)
    index_changed_group(GroupChanged(group_id=group.pk))
    assert counted(Lexeme)["quokka"] == counted(KnownWord)["quokka"] == 2
    assert str(find(parse("quoka"), GUEST).query) == "quokka"


def test_blocked_members_posts_are_left_out_unless_asked_for(ada, bo, group):
    thread = searchable_thread(bo, group, "Quokka", "quokka text")
    Block.objects.create(by=ada, of=bo, kind=Block.Kind.MUTE)
    assert found("quokka", ada) == []
    assert found("quokka by:bo", ada) == [thread.posts.get().pk]
    assert len(found("quokka")) == 1


# -- corrections --------------------------------------------------------------------------------


def test_a_slip_is_mended_to_a_word_two_posts_have():
    ids = put([draft("rangefinder patch"), draft("a rangefinder"), draft("rangefnider once")])
    answer = find(parse("rangefindre patch"), GUEST)
    assert (str(answer.query), answer.corrected) == ("rangefinder patch", True)
    assert {hit.object_id for hit in answer.hits} >= set(ids[:2])
    as_written = find(parse("rangefindre patch"), GUEST, correcting=False)
    assert as_written.corrected is False
    assert [hit.object_id for hit in as_written.hits] == [ids[0]]


def test_a_word_somebody_wrote_is_not_mended():
    put([draft("camera"), draft("camera"), draft("camero")])
    assert find(parse("camero"), GUEST).corrected is False


def test_phrases_and_numbers_are_not_mended():
    put([draft("camera 1234"), draft("camera 1234")])
    assert find(parse('"camrea"'), GUEST).corrected is False
    assert find(parse("1235"), GUEST).corrected is False


# -- filters ------------------------------------------------------------------------------------


def test_filters_say_what_must_be_true(ada, bo, mo, group):
    other = make_group("lenses")
    join(ada, other)
    mine = searchable_thread(ada, group, "Quokka one", "quokka", "a quokka reply")
    theirs = searchable_thread(bo, group, "Quokka two", "quokka")
    elsewhere = searchable_thread(ada, other, "Quokka three", "quokka")
    first, reply = mine.posts.order_by("number")
    choose_answer(thread=mine, post=reply, by=ada)
    lock_thread(thread=theirs, by=mo, reason="Enough.")
    Thread.objects.filter(pk=elsewhere.pk).update(kind="question")
    opening = {
        thread: thread.posts.order_by("number")[0].pk for thread in (mine, theirs, elsewhere)
    }

    def asked(filters: str, viewer=GUEST) -> set[int]:
        return set(found(f"quokka {filters}", viewer))

    assert asked("in:lenses") == {opening[elsewhere]}
    assert asked('in:"film cameras" by:bo') == {opening[theirs]}
    assert asked("-in:lenses is:thread") == {opening[mine], opening[theirs]}
    assert asked("by:ada is:reply") == {reply.pk}
    assert asked("by:me", bo) == asked("is:mine", bo) == {opening[theirs]}
    assert asked("is:mine") == set()
    assert asked("is:answered") == {first.pk, reply.pk}
    assert asked("is:unanswered") == {opening[theirs], opening[elsewhere]}
    assert asked("is:locked") == {opening[theirs]}
    assert asked("is:question") == {opening[elsewhere]}
    assert asked("is:open is:thread") == {opening[mine], opening[elsewhere]}
    year = timezone.now().year
    assert asked(f"before:{year}") == set()
    assert len(asked(f"after:{year}")) == 4
    assert asked("in:nowhere") == asked("by:nobody") == set()


def test_tags_are_searched_and_filtered_by(ada, group):
    from community.tags.models import Tag
    from community.threads.models import ThreadTag

    thread = make_thread(ada, group, title="Which glass", body="for dusk")
    tag = Tag.objects.create(slug="night-photos", name="night photos")
    Tag.objects.create(slug="nocturnes", name="nocturnes", synonym_of=tag)
    ThreadTag.objects.create(thread=thread, tag=tag)
    index(thread)
    pk = thread.posts.get().pk
    assert found("night") == found("tag:night-photos") == [pk]
    assert found('tag:"night photos"') == found("tag:nocturnes") == [pk]
    assert found("-tag:night-photos dusk") == []


def test_filters_alone_list_the_newest_first(ada, group):
    threads = [searchable_thread(ada, group, f"Number {n}", "x") for n in range(3)]
    posts = [thread.posts.get().pk for thread in threads]
    assert found("by:ada") == posts[::-1]
    page = newest(parse("by:ada"), GUEST, limit=2).hits
    place = page[-1].created_at, page[-1].pk
    rest = newest(parse("by:ada"), GUEST, limit=2, before=place).hits
    assert [hit.object_id for hit in (*page, *rest)] == posts[::-1]


def test_newest_first_wants_every_word():
    both, _ = put([draft("film camera"), draft("film")])
    hits = newest(parse("film camera"), GUEST).hits
    assert [hit.object_id for hit in hits] == [both]


# -- documents ----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_outbox_writes_changes_and_removes_documents(ada, mo, group):
    thread = make_thread(ada, group, title="Quokka sighting", body="by the **fence**")
    run_outbox()
    post = thread.posts.get()
    assert found("quokka") == [post.pk]
    edit_post(post=post, editor=ada, body="by the gate")
    run_outbox()
    assert (found("fence", correcting=False), found("gate")) == ([], [post.pk])
    post.refresh_from_db()
    post.hide(by=mo, reason="Spam.", at=timezone.now())
    post.save()
    from django.db import transaction

    with transaction.atomic():
        post_hidden_changed(post)
    run_outbox()
    assert found("quokka") == []
    assert "quokka" not in counted(Lexeme)


@pytest.mark.django_db(transaction=True)
def test_a_group_that_hides_and_a_member_who_is_renamed_are_followed(as_member, ada, group):
    searchable_thread(ada, group, "Quokka", "one quokka")
    owner = Member.objects.get(memberships__group=group, memberships__role="owner")
    form = {"name": "Vaults", "glyph": "🐟", "template": "collectibles", "tint": "0"}
    address = f"/g/{group.slug}/edit/"
    assert as_member(owner).post(address, form | {"join_mode": "hidden"}).status_code == 302
    kept = {"name": "Adelheid", "time_zone": "UTC", "is_listed": "on"}
    assert as_member(ada).post("/settings/", kept).status_code == 302
    run_outbox()
    assert (found("vaults", kind="group"), found("vaults", ada, kind="group")) == ([], [group.pk])
    assert found("adelheid", kind="member") == [ada.pk]
    assert "quokka" not in counted(Lexeme)


def test_documents_hold_posts_members_and_groups(ada, group, hidden_group):
    make_post(ada, make_thread(ada, group), "A reply")
    rebuild()
    kinds = Counter(SearchDocument.objects.values_list("kind", flat=True))
    assert kinds == {"post": 2, "member": Member.objects.count(), "group": 2}
    assert found("cellar", kind="group") == []
    assert found("cellar", ada, kind="group") == [hidden_group.pk]
    assert found("quist", kind="member") == [ada.pk]


def test_members_who_left_or_do_not_wish_to_be_listed_have_no_document(ada, bo, cy):
    Member.objects.filter(pk=ada.pk).update(is_active=False)
    Member.objects.filter(pk=bo.pk).update(is_listed=False)
    write_missing()
    assert set(
        SearchDocument.objects.filter(
            kind="member", object_id__in=[ada.pk, bo.pk, cy.pk]
        ).values_list("object_id", flat=True)
    ) == {cy.pk}


def test_a_rebuild_changes_nothing_twice_and_mends_what_is_wrong(ada, group):
    thread = make_thread(ada, group, body="quokka", replies=3)
    assert rebuild() > 0
    before = counted(Lexeme), counted(KnownWord), list(SearchDocument.objects.values())
    assert rebuild() == 0
    assert (counted(Lexeme), counted(KnownWord)) == before[:2]
    assert str(list(SearchDocument.objects.values())) == str(before[2])
    SearchDocument.objects.filter(thread=thread).update(text="wrong", title="")
    SearchDocument.objects.create(
        kind="post",
        object_id=10**12,
        created_at=timezone.now(),
        language="english",
        length=0,
        is_counted=True,
        version=1,
        tsv="",
        sv=SparseVector({1: 1.0}, 10**9),
    )
    assert rebuild() == 5
    assert (counted(Lexeme), counted(KnownWord)) == before[:2]


def test_counts_kept_as_one_goes_are_those_counted_anew(ada, group):
    chance = random.Random(4)
    vocabulary = ["camera", "cameras", "lens", "the", "fungus", "shutter", "相机"]
    drafts = [draft(" ".join(chance.choices(vocabulary, k=6))) for _ in range(30)]
    put(drafts)
    put_drafts(Kind.POST, [one.object_id for one in drafts[:10]], [])
    again = [
        type(one)(**{name: getattr(one, name) for name in one.__slots__} | {"text": "lens only"})
        for one in drafts[10:15]
    ]
    put(again)
    kept = counted(Lexeme), counted(KnownWord), SearchFigures.objects.values().get()
    recount()
    assert (counted(Lexeme), counted(KnownWord), SearchFigures.objects.values().get()) == kept


def test_an_empty_thing_and_a_huge_one_are_written(group):
    huge = " ".join(f"word{n}" for n in range(20_000))
    ids = put([draft(""), draft(huge), draft("x" * 50_000), draft("相" * 30_000)])
    assert SearchDocument.objects.filter(object_id__in=ids).count() == 4
    assert found("word1") == [ids[1]]


@pytest.mark.parametrize("text", ["'", "\\", "a'b", "& | !", ":*", "<->", "''' \\\\", "%s %d"])
def test_no_sign_breaks_a_search(text):
    put([draft(f"camera {text}", f"title {text}")])
    find(parse(f"camera {text}"), GUEST)
    find(parse(f'"camera {text}" -{text}'), GUEST)
    suggestions(parse(f"ti {text}"), GUEST)


def test_a_search_costs_a_fixed_number_of_queries(ada, group):
    put([draft("camera lens"), draft("camera fungus")])
    stems.forget()
    with CaptureQueriesContext(connection) as first:
        find(parse("camera lens fungus"), GUEST)
    with CaptureQueriesContext(connection) as second:
        find(parse("camera lens fungus -x in:film-cameras"), GUEST)
    with CaptureQueriesContext(connection) as mended:
        find(parse("camrea"), GUEST)
    assert (len(first), len(second), len(mended)) == (3, 2 + 1, 5)


# -- likeness -----------------------------------------------------------------------------------


class Counting:
    """An embedder by hand: a vector is how often three letters occur."""

    is_on = True

    def of_documents(self, texts):
        return [self.of_query(text) for text in texts]

    def of_query(self, text):
        return [text.count(letter) + 0.01 for letter in "aqz"]


def test_likeness_joins_the_rank_and_obeys_the_same_scope(monkeypatch, settings, hidden_group):
    like, said, secret = put(
        [draft("qqqqqqqq"), draft("aaaa zebra"), draft("qqqqq", group_id=hidden_group.pk)]
    )
    for module in (finding, __import__("community.search.services", fromlist=["x"])):
        monkeypatch.setattr(module, "embedder", Counting)
    assert embed_documents() == 3
    assert embed_documents() == 0
    settings.SEARCH_DENSE_WEIGHT = 0.9
    assert found("qqq", correcting=False) == [like, said]
    settings.SEARCH_DENSE_WEIGHT = 0.1
    assert found("zebra qqqqq")[0] == said
    assert secret not in found("qqq")


def test_a_changed_text_loses_its_vector():
    one = draft("qq")
    put([one])
    SearchDocument.objects.update(embedding=[1, 2, 3])
    put([one])
    assert SearchDocument.objects.filter(embedding__isnull=True).count() == 0
    put([type(one)(**{name: getattr(one, name) for name in one.__slots__} | {"text": "zz"})])
    assert SearchDocument.objects.filter(embedding__isnull=True).count() == 1


def test_a_write_by_hand_names_its_kind(ada, group):
    thread = make_thread(ada, group, title="Quokka")
    assert write_documents(Kind.POST, [thread.posts.get().pk]) == 1
    assert write_documents(Kind.POST, [thread.posts.get().pk]) == 0
    assert make_member("unseen").pk not in found("unseen", kind="member")
