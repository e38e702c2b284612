"""What no file of the package does; each check is shown to catch one that does."""

import re
import tomllib

from tests.architecture import habits
from tests.architecture.source import REPOSITORY, Source, package_sources
from ziggurat.models.registry import FAMILIES as FAMILIES_BY_NAME

SOURCES = package_sources()
FAMILIES = habits.families(SOURCES)


def made_up(text: str, module: str = "ziggurat.text.made_up") -> list[Source]:
    return [Source(module, text)]


def test_nothing_is_named_for_holding_what_belonged_nowhere() -> None:
    assert habits.vague_names(SOURCES) == []


def test_a_vague_name_is_seen() -> None:
    assert habits.vague_names(made_up("", "ziggurat.text.utils.cleaning")) == ["ziggurat.text.utils.cleaning"]
    assert habits.vague_names(made_up("", "ziggurat.judge._helpers")) == ["ziggurat.judge._helpers"]
    assert habits.vague_names(made_up("", "ziggurat.text.common_words")) == []


def test_nothing_is_pickled() -> None:
    assert habits.pickles(SOURCES) == []


def test_a_pickle_is_seen() -> None:
    for line in (
        "import pickle",
        "from joblib import dump",
        "torch.save(model, path)",
        "torch.load(path, weights_only=True)",
        "np.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=trusted)",
    ):
        assert len(habits.pickles(made_up(line))) == 1, line
    assert habits.pickles(made_up("np.load(path, allow_pickle=False)")) == []


def test_nothing_below_the_surface_prints() -> None:
    assert habits.prints(SOURCES, above="surface") == []


def test_printing_is_seen() -> None:
    text = "def f():\n    print(1)\n    sys.stderr.write('a')\n    pprint(1)\n"
    assert [found.rpartition(":")[2] for found in habits.prints(made_up(text), above="surface")] == [
        " print",
        " sys.stderr.write",
    ]
    assert habits.prints(made_up(text, "ziggurat.surface.cli.made_up"), above="surface") == []


def test_nothing_is_put_off() -> None:
    assert habits.unfinished(SOURCES) == []


def test_what_is_put_off_is_seen() -> None:
    text = "x = 1  # TO" + "DO later\ndef f():\n    raise NotImplementedError\nHACKLE = 1\n"
    assert [found.split(":")[1] for found in habits.unfinished(made_up(text))] == ["1", "3"]


def test_only_kernels_are_compiled() -> None:
    assert habits.compilers(SOURCES) == []


def test_a_compiler_elsewhere_is_seen() -> None:
    text = "def f():\n    import numba\n"
    assert habits.compilers(made_up(text)) == ["ziggurat.text.made_up:2: numba"]
    assert habits.compilers(made_up(text, "ziggurat.text.kernels.made_up")) == []


def test_the_families_are_those_that_the_registry_finds() -> None:
    assert FAMILIES
    assert tuple(sorted(FAMILIES)) == FAMILIES_BY_NAME.names()


def test_nobody_branches_on_a_familys_name() -> None:
    assert habits.branches_on_family(SOURCES, FAMILIES) == []


def test_a_branch_on_a_familys_name_is_seen() -> None:
    names = {"ngram", "decoder"}
    for text in (
        "if family == 'ngram': ...",
        "x = 1 if 'decoder' != f.name else 2",
        "if family in ('ngram', 'other'): ...",
        "match family:\n    case 'ngram': ...",
        "orders = {'ngram': 5, 'decoder': 1}[family]",
    ):
        assert len(habits.branches_on_family(made_up(text), names)) == 1, text
    own = Source("ziggurat.models.ngram", "assert config['family'] == 'ngram'")
    assert habits.branches_on_family([own], names) == []
    assert habits.branches_on_family(made_up("parts = {'decoder': {'type': 'ByteLevel'}}"), names) == []


def test_a_word_that_an_option_has_too_is_no_branch_where_it_is_the_options() -> None:
    option = "decay: Literal['none', 'linear']\n"
    for text, seen in (
        ("if decay == 'linear': ...", 0),
        ("if shape in ('cosine', 'linear'): ...", 0),
        ("if family == 'linear': ...", 1),
        ("if bundle.manifest.family in ('linear', 'x'): ...", 1),
        ("if one.name == 'linear': ...", 1),
    ):
        assert len(habits.branches_on_family(made_up(option + text), {"linear", "ngram"})) == seen, text
    assert len(habits.branches_on_family(made_up("if decay == 'linear': ..."), {"linear"})) == 1  # no option has it
    assert (
        len(habits.branches_on_family(made_up(option + "if x in ('linear', 'ngram'): ..."), {"linear", "ngram"})) == 1
    )


def test_families_are_reached_through_the_registry() -> None:
    trainers = {
        module: {f"ziggurat.training.{trainer}" for trainer in FAMILIES_BY_NAME.get(name).trainers}
        for name, module in FAMILIES.items()
    }
    assert habits.imports_of_family(SOURCES, trainers) == []


def test_an_import_of_a_family_is_seen() -> None:
    trainers = {"ziggurat.models.ngram": {"ziggurat.training.count"}}
    for text in ("from ziggurat.models.ngram import Table", "def f():\n    from ziggurat.models import ngram"):
        assert len(habits.imports_of_family(made_up(text), trainers)) == 1, text
    assert habits.imports_of_family(made_up("import ziggurat.models.ngram_table"), trainers) == []


def test_only_a_familys_own_trainer_and_foreign_formats_know_it() -> None:
    text = "from ziggurat.models.ngram import Table"
    trainers = {"ziggurat.models.ngram": {"ziggurat.training.count"}}
    assert habits.imports_of_family(made_up(text, "ziggurat.training.count"), trainers) == []
    assert habits.imports_of_family(made_up(text, "ziggurat.artefacts.interchange.arpa"), trainers) == []
    shared = trainers | {"ziggurat.models.other": {"ziggurat.training.count"}}
    assert len(habits.imports_of_family(made_up(text, "ziggurat.training.count"), shared)) == 1


def test_a_family_knows_the_one_that_it_stands_on_by_name() -> None:
    text = "from ziggurat.models.ngram import Table"
    trainers = {"ziggurat.models.ngram": {"a"}, "ziggurat.models.smooth_ngram": {"b"}, "ziggurat.models.other": {"c"}}
    assert habits.imports_of_family(made_up(text, "ziggurat.models.smooth_ngram"), trainers) == []
    for module in ("ziggurat.models.other", "ziggurat.use.smooth_ngram"):
        assert len(habits.imports_of_family(made_up(text, module), trainers)) == 1


def test_a_family_is_found_by_its_marker_only_in_its_folder() -> None:
    marked = "FAMILY: Family = Counted()\n"
    sources = [
        Source("ziggurat.models.counted", marked),
        Source("ziggurat.models.blocks.counted", marked),
        Source("ziggurat.models.plain", "FAMILY_NAMES = ()\n"),
    ]
    assert habits.families(sources) == {"counted": "ziggurat.models.counted"}


def test_every_folder_of_tests_is_run_by_one_command() -> None:
    asked = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
    checked = re.findall(
        r"pytest -q (tests/\S+) (tests/\S+)$", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.M
    )
    assert list((REPOSITORY / "tests").glob("test_*.py")) == []
    folders = {f"tests/{path.parent.name}" for path in (REPOSITORY / "tests").glob("*/test_*.py")}
    assert sorted([*asked["testpaths"], *checked[0]]) == sorted(folders)
