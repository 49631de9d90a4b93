"""The promises of the generated questions, checked by a solver that shares nothing with the generator's proof.

It goes over all entities of the world, one by one, and asks each fact by key; it knows nothing of regions or masks.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache

import pytest

from lrat_bench.task.sources.synth_wiki.questions import AskedQuestion, ask
from lrat_bench.task.sources.synth_wiki.settings import Settings
from lrat_bench.task.sources.synth_wiki.task_folder import world_of
from lrat_bench.task.sources.synth_wiki.tree import Constraint, QuestionTree
from lrat_bench.task.sources.synth_wiki.world import Entity, World

WORLDS = [("in-domain", 0, 1000), ("out-of-domain", 0, 1000), ("in-domain", 5, 1733), ("out-of-domain", 41, 1249)]
QUESTIONS = 60


class Solver:
    """Solves trees by search over the whole world."""

    def __init__(self, world: World) -> None:
        self.entities = [world.entity(index) for index in range(len(world))]
        self.by_type: dict[str, list[int]] = defaultdict(list)
        self.subjects: dict[tuple[str, int], list[int]] = defaultdict(list)
        for entity in self.entities:
            self.by_type[entity.type.noun].append(entity.index)
            for key, end in entity.facts.items():
                if isinstance(end, int):
                    self.subjects[key, end].append(entity.index)

    def answers(self, tree: QuestionTree, without: Constraint | None = None) -> list[int]:
        return [i for i in self.by_type[tree.noun] if next(self.assignments(tree, i, without), None) is not None]

    def assignments(
        self, tree: QuestionTree, entity: int, without: Constraint | None = None
    ) -> Iterator[tuple[int, ...]]:
        """All ways to fill the tree's nodes, in the order of `tree.nodes()`, with `entity` at its root."""
        if self.entities[entity].type.noun != tree.noun or (tree.named and entity != tree.entity):
            return
        partial: list[tuple[int, ...]] = [(entity,)]
        for constraint in tree.constraints:
            if constraint is without:
                continue
            extended = []
            for ways in partial:
                extended += [ways + more for more in self._ways(constraint, entity, without)]
            partial = extended
        yield from partial

    def _ways(self, constraint: Constraint, entity: int, without: Constraint | None) -> Iterator[tuple[int, ...]]:
        if isinstance(constraint.other, str):
            if self.entities[entity].facts.get(constraint.fact) == constraint.other:
                yield ()
            return
        if constraint.traced:
            others = self.subjects[constraint.fact, entity]
        else:
            end = self.entities[entity].facts.get(constraint.fact)
            others = [end] if isinstance(end, int) else []
        for other in others:
            yield from self.assignments(constraint.other, other, without)


@cache
def built(name: str, seed: int, documents: int) -> tuple[World, Solver, tuple[AskedQuestion, ...]]:
    world = world_of(Settings(world=name, seed=seed, documents=documents))
    return world, Solver(world), tuple(ask(world, train=QUESTIONS, test=QUESTIONS))


@pytest.fixture(params=WORLDS, ids=lambda p: f"{p[0]}-{p[1]}-{p[2]}")
def case(request: pytest.FixtureRequest) -> tuple[World, Solver, tuple[AskedQuestion, ...]]:
    return built(*request.param)


Case = tuple[World, Solver, tuple[AskedQuestion, ...]]


def test_every_question_has_exactly_one_answer_in_the_whole_world(case: Case) -> None:
    _, solver, questions = case
    for question in questions:
        assert solver.answers(question.tree) == [question.tree.entity], question


def test_every_question_has_exactly_one_reading_so_its_evidence_is_complete(case: Case) -> None:
    _, solver, questions = case
    for question in questions:
        meant = tuple(node.entity for node in question.tree.nodes())
        assert list(solver.assignments(question.tree, question.tree.entity)) == [meant]
        assert len(set(meant)) == len(meant)


def test_for_every_constraint_there_is_a_near_miss_that_fits_all_the_others(case: Case) -> None:
    _, solver, questions = case
    for question in questions:
        for constraint in question.tree.all_constraints():
            assert len(solver.answers(question.tree, without=constraint)) > 1, (question, constraint)


def test_questions_are_trees_of_the_promised_size(case: Case) -> None:
    _, _, questions = case
    for question in questions:
        tree = question.tree
        assert 2 <= len(tree.constraints) <= 4
        assert 2 <= tree.depth <= 3, "an entity below the answer is described, so one search is not enough"
        assert any(node.named for node in tree.nodes())
        assert not tree.named
    shapes = Counter((question.tree.depth, len(question.tree.constraints)) for question in questions)
    assert {(2, 2), (3, 2), (2, 3)} <= set(shapes)
    assert max(shapes.values()) < 0.7 * len(questions)


def test_answers_are_spread_over_the_types(case: Case) -> None:
    world, _, questions = case
    types = Counter(question.tree.noun for question in questions)
    assert len(types) >= len(world.definition.types) - 1
    assert max(types.values()) <= 0.25 * len(questions)


def test_a_question_says_what_its_tree_says(case: Case) -> None:
    """Every named entity, value and type of the tree is in the text, and the described ones are not named."""
    _, solver, questions = case
    for question in questions:
        for node in question.tree.nodes():
            name = solver.entities[node.entity].name
            assert (name in question.text) == node.named, question.text
            assert node.named or node.noun in question.text
        for constraint in question.tree.all_constraints():
            if isinstance(constraint.other, str):
                assert constraint.other in question.text


def test_no_two_questions_ask_the_same(case: Case) -> None:
    _, _, questions = case
    assert len({question.tree.meaning for question in questions}) == len(questions)
    assert len({question.text for question in questions}) == len(questions)


def test_an_article_states_every_fact_of_its_entity_and_opens_with_what_it_is(case: Case) -> None:
    world, solver, _ = case
    for entity in solver.entities:
        document = world.document(entity.index)
        lead, _, body = document.text.partition(". ")
        assert document.title == entity.name
        assert entity.name in lead
        assert f" {entity.type.noun}" in lead
        for end in entity.facts.values():
            stated = end if isinstance(end, str) else solver.entities[end].name
            assert stated.lower() in body.lower(), (entity, document.text)


def test_articles_have_60_to_200_words_in_whole_sentences(case: Case) -> None:
    world, _, _ = case
    for document in world:
        assert 60 <= len(document.text.split()) <= 200
        assert document.text.endswith(".")
        assert not set("{}\n") & set(document.text)
        for sentence in document.text.split(". "):
            assert sentence[0].isupper(), sentence


def test_names_and_docids_are_unique_and_docids_do_not_tell_the_order(case: Case) -> None:
    world, solver, _ = case
    assert len({entity.name for entity in solver.entities}) == len(world)
    docids = [entity.docid for entity in solver.entities]
    assert sorted(docids) == [str(i).zfill(len(docids[0])) for i in range(len(world))]
    assert docids != sorted(docids)


def test_facts_never_lead_out_of_the_region_which_carries_the_proof(case: Case) -> None:
    world, solver, _ = case
    for entity in solver.entities:
        for end in entity.facts.values():
            if isinstance(end, int):
                assert world.region_of(end) == world.region_of(entity.index)


def test_nothing_is_its_own_ancestor() -> None:
    """Relations within a type (apprentices, tributaries) have no cycles."""
    for name in ("in-domain", "out-of-domain"):
        _, solver, _ = built(name, 0, 1000)

        def same_type(entity: Entity, solver: Solver = solver) -> list[int]:
            ends = [end for end in entity.facts.values() if isinstance(end, int)]
            return [end for end in ends if solver.entities[end].type is entity.type]

        for entity in solver.entities:
            assert all(end < entity.index for end in same_type(entity))
