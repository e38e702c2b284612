"""Pictures and drawings of models: what stands where, that nothing overlaps, and how numbers are written."""

from dataclasses import asdict
from typing import Any

import pytest

from ziggurat.core.anatomy import Anatomy, Load, Sizes
from ziggurat.core.errors import UsageError
from ziggurat.models.blocks.transformer import TransformerConfig
from ziggurat.models.blocks.transformer_towers import decoder_anatomy, encoder_anatomy, translating_anatomy
from ziggurat.models.decoder import DecoderConfig
from ziggurat.models.registry import FAMILIES
from ziggurat.surface.anatomy.canvas import Canvas
from ziggurat.surface.anatomy.figures import count, operations, share, size
from ziggurat.surface.anatomy.picture import WIDTH, picture
from ziggurat.surface.anatomy.sheet import tower_lines
from ziggurat.surface.anatomy.subject import Subject, loaded
from ziggurat.surface.anatomy.tables import facts, memories, memory_rows, operation_rows, part_rows
from ziggurat.surface.anatomy.words import explained, form, symbols
from ziggurat.surface.language import speaking
from ziggurat.surface.map.labels import text_width
from ziggurat.surface.terminal import width_of

PRE = TransformerConfig(layers=3, width=44, heads=4, key_heads=2, head_width=10, feedforward=53, context=61)
POST = TransformerConfig(
    layers=5, width=44, heads=4, feedforward=53, context=61, positions="learned", norm="layer", norm_place="post",
    activation="relu", bias="all", query_norm=False,
)  # fmt: skip


def lstm(**keys: Any) -> Anatomy:
    from ziggurat.core.types import Vocabulary

    family: Any = FAMILIES.get("recurrent")
    found = family.anatomy(family.config(layers=5, embedding=29, hidden=43, **keys), Vocabulary(size=101, bos=0, eos=0))
    assert isinstance(found, Anatomy)
    return found


def counted() -> Anatomy:
    from ziggurat.core.types import Vocabulary

    family: Any = FAMILIES.get("counted_recurrent")
    found = family.anatomy(family.config(layers=1, embedding=29, hidden=43, order=7), Vocabulary(101, bos=0, eos=0))
    assert isinstance(found, Anatomy)
    return found


FORMS: dict[str, Anatomy] = {
    "pre-norm decoder": decoder_anatomy(PRE, 101),
    "post-norm decoder": decoder_anatomy(POST, 101),
    "encoder": encoder_anatomy(POST, 101, token_types=2, pooler=True),
    "encoder without a head": encoder_anatomy(PRE, 101, head=False),
    "translator": translating_anatomy(POST, 101, decoder_layers=2),
    "modern translator": translating_anatomy(PRE, 101, decoder_layers=7),
    "LSTM": lstm(),
    "LSTM with tables": lstm(ngram_orders=(2, 3), ngram_rows=211, ngram_width=7),
    "decoder with tables": decoder_anatomy(
        DecoderConfig(**asdict(POST), ngram_orders=(2, 3), value_embeddings=2), 101, value_embeddings=2
    ),
    "LSTM on counts": counted(),
}


def subject(name: str, **sizes: int) -> Subject:
    return loaded("toy", FORMS[name], 101, Sizes(**sizes), {"rows": 3, "window": 23}, family="toys")


def extent(text: dict[str, Any]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a line of text, as wide as a wide font makes it."""
    wide = text_width(text["text"], text["size"]) * 0.9
    left = text["x"] - {"left": 0.0, "center": wide / 2, "right": wide}[text["align"]]
    return left, text["y"] - text["size"] * 0.45, left + wide, text["y"] + text["size"] * 0.45


def overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", FORMS)
def test_no_text_stands_on_another_and_all_is_inside(name: str, language: str) -> None:
    with speaking(language):
        canvas, height = picture(subject(name))
    extents = [extent(text) for text in canvas.texts]
    for number, one in enumerate(extents):
        assert one[0] >= 0, canvas.texts[number]
        assert one[2] <= WIDTH, canvas.texts[number]
        assert 0 <= one[1] < one[3] <= height, canvas.texts[number]
        for far, other in enumerate(extents[number + 1 :], number + 1):
            assert not overlap(one, other), (canvas.texts[number]["text"], canvas.texts[far]["text"])


@pytest.mark.parametrize("name", FORMS)
def test_no_box_stands_on_another(name: str) -> None:
    canvas, _ = picture(subject(name))
    boxes = [(box["x"], box["y"], box["x2"], box["y2"]) for box in canvas.boxes]
    assert len(boxes) > 3
    for number, one in enumerate(boxes):
        assert one[0] < one[2]
        assert one[1] < one[3]
        assert not any(overlap(one, other) for other in boxes[number + 1 :])


@pytest.mark.parametrize("name", FORMS)
def test_every_residual_path_ends_at_a_sum(name: str) -> None:
    """Each half of a block has a path around it and a sum, and each vector that is added one more."""
    canvas, _ = picture(subject(name))
    halves = sum(part.kind == "half" for part, _ in FORMS[name].whole.walk())
    added = sum(part.kind in ("positions", "tables") for part, _ in FORMS[name].whole.walk())
    assert len(canvas.sums) == halves + added
    places = {(round(one["x"]), round(one["y"])) for one in canvas.sums}
    ends = {(round(one["x"]) - 12, round(one["y"])) for one in canvas.arrows}
    assert places <= ends


def test_the_norm_stands_inside_the_path_or_behind_the_sum() -> None:
    for name, behind in (("pre-norm decoder", 0), ("post-norm decoder", 1)):
        canvas, _ = picture(subject(name))
        frame = canvas.areas[0]["y"]
        uppermost = min(one["y"] for one in canvas.sums)
        norms = [text["y"] for text in canvas.texts if "Norm" in text["text"] and text["y"] > frame]
        assert len(norms) == 2
        assert sum(y < uppermost for y in norms) == behind


def test_cross_attention_hears_of_the_encoder() -> None:
    canvas, _ = picture(subject("translator"))
    said = [text["text"] for text in canvas.texts]
    assert "memory · m × d_model" in said
    assert said.count("token embeddings") == 1
    assert "token embeddings, shared" in said
    joined = [path for path in canvas.paths if path["stroke"] == "#3d5a80"]
    assert [point["step"] for point in joined] == [0, 1, 2, 3, 4]
    assert len({path["stroke"] for path in picture(subject("LSTM"))[0].paths} & {"#3d5a80"}) == 0


def test_a_specification_keeps_places_as_they_are() -> None:
    canvas = Canvas()
    canvas.box(3, 5, 7, 11, fill="#fff", stroke="#000")
    canvas.path([(1, 2), (1, 9), (8, 9)], arrow=True)
    canvas.text(13, 17, "here", bold=True)
    canvas.moved(100)
    spec = canvas.specification(50, 200)
    assert (spec["width"], spec["height"]) == (50, 200)
    first = next(layer for layer in spec["layer"] if layer["mark"]["type"] == "rect")
    assert first["data"]["values"][0] | {"fill": "", "stroke": ""} == {
        "x": 3, "y": 105, "x2": 7, "y2": 111, "fill": "", "stroke": "",
    }  # fmt: skip
    assert first["encoding"]["y"]["scale"]["domain"] == [200, 0]
    assert canvas.arrows == [{"x": 8, "y": 109, "angle": 90, "stroke": "#5c574d"}]
    assert canvas.words == "here"


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", FORMS)
def test_drawings_with_letters_keep_their_edges(name: str, language: str) -> None:
    with speaking(language):
        for tower in FORMS[name].towers:
            lines = tower_lines(tower, Load(text=23, source=23), 10**9)
            framed = [line.index("║", 1) if language == "en" else 0 for line in lines if line.startswith("║")]
            assert len(set(framed)) <= 1
            widths = {width_of(line) for line in lines if line.endswith(("%", "–"))}
            assert len(widths) == 1  # numbers stand to the right of one column


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0"), (999, "999"), (999.6, "1.00 k"), (12_345, "12.3 k"), (123_456, "123 k"), (1e18, "1.00 E")],
)
def test_numbers_have_three_digits(number: float, said: str) -> None:
    assert count(number) == said
    assert operations(number).replace("FLOP", "").strip() == said.strip()
    assert size(number).replace("B", "").strip() == said.strip()


def test_shares() -> None:
    assert [share(*pair) for pair in ((1, 3), (0, 3), (1, 999), (3, 3), (1, 0))] == ["33 %", "–", "<1 %", "100 %", "–"]


@pytest.mark.parametrize("name", FORMS)
def test_tables_add_up(name: str) -> None:
    """The last numbers of the rows are all parameters."""
    one = subject(name)
    rows = part_rows(one)
    total = sum(int(row[3].split("= ")[-1].replace(",", "")) for row in rows[1:])
    assert total == FORMS[name].parameters
    assert {len(row) for row in rows} == {5}
    training, generation = memory_rows(one, memories(one))
    assert len(training) == 9
    assert bool(generation) is FORMS[name].generates
    assert len(operation_rows(one)) == 2 + FORMS[name].generates
    told = facts(one)
    assert told["parameters"] == FORMS[name].parameters
    assert sum(tower["parameters"] for tower in told["towers"]) == FORMS[name].parameters
    memory = told["training"]["memory_bytes"]["f32"]
    assert memory["total"] == sum(memory[key] for key in ("weights", "gradients", "moments", "activations", "logits"))


def test_loads_follow_the_recipe_and_what_is_asked() -> None:
    assert subject("translator").training == Load(rows=3, text=23, source=23)
    assert subject("translator", source=7, rows=2).training == Load(rows=2, text=23, source=7)
    assert subject("translator").generation == Load(rows=1, text=61, source=61)
    assert subject("encoder", window=40).training.picked == 6
    assert subject("LSTM", length=997, batch=5).generation == Load(rows=5, text=997)
    for asked in ({"window": 62}, {"length": 62}, {"source": 62}):
        with pytest.raises(UsageError, match="its context is 61"):
            subject("translator", **asked)
    with pytest.raises(UsageError, match="reads no source"):
        subject("LSTM", source=3)


def test_symbols_are_explained_in_both_languages() -> None:
    for name, anatomy in FORMS.items():
        found = symbols(anatomy, subject(name).training)
        for language in ("en", "zh"):
            with speaking(language):
                assert all(meaning for _, _, meaning in explained(found))
    assert form(FORMS["translator"]) == "encoder stack + decoder stack"
    with speaking("zh"):
        assert form(FORMS["translator"]) == "编码器 + 解码器"
