"""The few lines of Python that most people need.

::

    import ziggurat

    model = ziggurat.train("my_texts/", recipe="gpt", minutes=10)
    print(model.generate("Once upon a time", temperature=0.8))
    print(model.evaluate("held_out.txt")["bits_per_byte"])

    model = ziggurat.load("runs/my_texts-gpt")

    sentiment = model.few_shot([("dull", "bad"), ("a joy", "good"), ("tired", "bad"), ("fun", "good")])
    print(sentiment.label(["never a boring minute"])[0].label)

    vectors = ziggurat.vectors("runs/my_texts-skipgram")
    print(vectors.most_similar(positive=["king", "woman"], negative=["man"]))
"""

import functools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ziggurat.artefacts import bundle as bundles
from ziggurat.artefacts.beginning import check_vectors
from ziggurat.artefacts.recipe import load_recipe, start_recipe
from ziggurat.artefacts.runs import new_folder, open_run
from ziggurat.artefacts.settings import Setting, environment_settings, value_settings
from ziggurat.core.config import from_mapping
from ziggurat.core.errors import UsageError
from ziggurat.core.protocols import ConditionalModel, LanguageModel, Tokenizer
from ziggurat.core.schemes import LabelSpan
from ziggurat.core.types import Continuation, Example, FloatArray, Listener, Pair, Told
from ziggurat.judge.measuring import figures
from ziggurat.judge.tasks import told
from ziggurat.surface.material import entries
from ziggurat.surface.training import train_run
from ziggurat.text.roles import Predicate, RoleSentence
from ziggurat.training.job import silent
from ziggurat.use.chat import Conversation
from ziggurat.use.chat_template import ChatTemplate
from ziggurat.use.completion import GenerationConfig, generate
from ziggurat.use.embedding import EmbeddingConfig, embed
from ziggurat.use.prompting import FewShotClassifier, PromptConfig
from ziggurat.use.scoring import Scored, Unit, score_pairs, score_texts
from ziggurat.use.suggesting import SuggestConfig, Suggester
from ziggurat.use.tasks import TASKS
from ziggurat.use.translation import translate
from ziggurat.use.vectors import Vectors, open_vectors

__all__ = ["Model", "load", "run_name", "train", "vectors"]

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


class Model:
    """A trained model with its tokenizer, ready to be used."""

    def __init__(self, bundle: bundles.Bundle) -> None:
        """Use an open bundle; `load` opens one."""
        self.bundle = bundle

    @property
    def path(self) -> Path:
        """The bundle's folder."""
        return self.bundle.path

    @property
    def model(self) -> LanguageModel:
        """The model itself: ids to log-probabilities."""
        return self.bundle.language_model

    @functools.cached_property
    def vectors(self) -> Vectors:
        """Its word vectors, to be asked for near words and analogies.

        Raises:
            UsageError: it has none.
        """
        return Vectors.of(self.bundle)

    @property
    def tokenizer(self) -> Tokenizer:
        """Its tokenizer: text to ids and back."""
        return self.bundle.tokenizer

    def __repr__(self) -> str:
        return f"<{self.bundle.manifest.family} model at {self.path}>"

    def generate(self, prompt: str = "", *, seed: int = 0, **options: Any) -> str:
        """Return what the model writes after ``prompt``; ``options`` are the keys of `GenerationConfig`.

        To a model that reads pairs ``prompt`` is the source whose target it writes: greedily with ``temperature=0``.

        Raises:
            UnknownNameError: an option that does not exist; the nearest is named.
        """
        return self.continuations([prompt], seed=seed, **options)[0].text

    def continuations(self, prompts: Sequence[str], *, seed: int = 0, **options: Any) -> list[Continuation]:
        """Return ``samples`` continuations of each prompt, with their ids and log-probabilities."""
        config = from_mapping(GenerationConfig, options, where="generate")
        model = self.bundle.model
        if isinstance(model, ConditionalModel):
            return translate(model, self.tokenizer, prompts, config, seed=seed)
        return generate(self.model, self.tokenizer, prompts, config, seed=seed)

    def score(self, text: str, *, by: Unit = "document", source: str | None = None) -> list[Scored]:
        """Return the log-probability of each unit of ``text``, in nats; of a target, given its ``source``.

        Raises:
            UsageError: the model needs a source and none is given, or it takes none.
        """
        model = self.bundle.model
        if source is None:
            return score_texts(self.bundle.scorer, self.tokenizer, [text], by=by)[0]
        if not isinstance(model, ConditionalModel):
            raise UsageError(f"{self.path}: a {self.bundle.manifest.family} model takes no source; leave it out")
        return score_pairs(model, self.tokenizer, [Pair("source", source, text)], by=by)[0]

    def embed(self, texts: Sequence[str], **options: Any) -> FloatArray:
        """Return (N, D): a vector for each text; ``options`` as in `ziggurat.use.embedding.EmbeddingConfig`."""
        config = from_mapping(EmbeddingConfig, options, where="embed")
        return embed(self.bundle.encoder, self.tokenizer, texts, config).vectors

    def classify(self, texts: Sequence[str]) -> list[Told]:
        """Return the label of each text, how sure the model is of it, and the probabilities of all labels.

        Raises:
            UsageError: the model tells no labels.
        """
        task = TASKS.get("classification")
        return [said for _, said in told(task, self.bundle, (Example("", text) for text in texts))]

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[LabelSpan]]:
        """Return for each sentence, given as words, the spans that the model finds: start, stop and type.

        Raises:
            UsageError: the model labels no words.
        """
        task = TASKS.get("ner")
        return [said.answer for _, said in told(task, self.bundle, (Example("", tuple(one)) for one in sentences))]

    def roles(
        self, sentences: Sequence[Sequence[str]], predicates: Sequence[Sequence[int]] | None = None
    ) -> list[dict[int, list[LabelSpan]]]:
        """Return who did what to whom in each sentence, given as words: spans by the position of their predicate.

        A predicate's own span has the role ``V``. ``predicates`` are positions, from 0, of the predicates in each
        sentence; unless told they are found.

        Raises:
            UsageError: the model reads no predicates, or there are predicates of another number of sentences.
            InputError: a predicate is outside its sentence.
        """
        if predicates is not None and len(predicates) != len(sentences):
            raise UsageError(
                f"predicates of {len(predicates)} sentences for {len(sentences)} sentences; give each its own"
            )
        asked = []
        for number, words in enumerate(sentences):
            named = () if predicates is None else tuple(Predicate(one, "") for one in predicates[number])
            sentence = RoleSentence(f"sentence {number}", tuple(words), named, unsaid=predicates is None)
            asked.append(Example(sentence.id, sentence))
        return [said.answer for _, said in told(TASKS.get("roles"), self.bundle, asked)]

    def few_shot(
        self, examples: Sequence[tuple[str, str]], answers: Mapping[str, str] | None = None, **options: Any
    ) -> FewShotClassifier:
        """Return what labels texts after it was shown ``examples``, pairs of a text and its label.

        ``answers`` are the words that stand for each label in a prompt (the label itself, unless told); ``options``
        are the keys of `PromptConfig`.

        Raises:
            UsageError: fewer than two labels, or words that the tokenizer can't tell apart.
        """
        config = from_mapping(PromptConfig, options, where="few_shot")
        words = answers or {label: label for label in sorted({label for _, label in examples})}
        return FewShotClassifier(self.model, self.tokenizer, examples, words, config)

    def suggester(self, **options: Any) -> Suggester:
        """Return what follows somebody's typing and says what may come; ``options`` are the keys of `SuggestConfig`.

        Raises:
            UsageError: the model predicts nothing, or its tokenizer loses text.
        """
        return Suggester(self.model, self.tokenizer, from_mapping(SuggestConfig, options, where="suggester"))

    def conversation(self, *, system: str = "", **variables: Any) -> Conversation:
        """Return a conversation with the model; ``variables`` go to its chat template.

        Raises:
            UsageError: it has no chat template.
        """
        template = ChatTemplate(self.bundle.chat_template, self.tokenizer)
        return Conversation(self.model, template, system=system, **variables)

    def evaluate(self, texts: Paths, *, seed: int = 0) -> dict[str, Any]:
        """Return bits per byte with its 95 % interval, perplexity, and speed on files of text, or of pairs."""
        bundle = self.bundle
        return figures(
            bundle.model,
            bundle.tokenizer,
            entries(bundle, _names(texts)),
            name=str(bundle.path),
            training=bundle.manifest.training,
            seed=seed,
        )


def train(
    texts: Paths,
    recipe: str | None = None,
    *,
    start: str | os.PathLike[str] | None = None,
    minutes: float | None = None,
    out: str | os.PathLike[str] | None = None,
    settings: Mapping[str, Any] | None = None,
    listener: Listener = silent,
) -> Model:
    """Train a model on files or folders of text and return it; the run's folder keeps everything.

    Args:
        texts: Files, folders or globs; of pairs for a recipe whose family reads those.
        recipe: A recipe's name, or a TOML file; ``gpt`` unless told, or with ``start`` one that suits that.
        start: A bundle whose model is trained on, with its tokenizer, instead of a new one.
        minutes: Budget of the gradient training, where the recipe has one.
        out: The run's folder, which must not hold a run; unless told, a new one below ``runs/``.
        settings: Other values for the recipe's keys, for example ``{"model.layers": 2}``.
        listener: Hears of every event.

    Raises:
        InputError: a text can't be used; the message names file and line.
        UsageError: the recipe or a setting is wrong.
    """
    names = _names(texts)
    given = environment_settings(os.environ)
    given += [] if start is None else [Setting(("start",), os.fspath(start), "start")]
    given += value_settings(settings or {})
    found = (None if recipe else start_recipe(given)) or load_recipe(recipe or "gpt", given)
    found = found.with_sources(names)
    found = found if minutes is None else found.with_budget("minutes", minutes)
    check_vectors(found)
    folder = new_folder(Path("runs"), run_name(names, found.name)) if out is None else Path(out)
    with open_run(folder, found) as run:
        return Model(train_run(run, listener))


def load(path: str | os.PathLike[str], *, verify: bool | None = None) -> Model:
    """Open a bundle, or the bundle of a run's folder (see `ziggurat.artefacts.bundle.load`)."""
    return Model(bundles.load(Path(path), verify=verify))


def vectors(path: str | os.PathLike[str]) -> Vectors:
    """Open word vectors: of a bundle or run folder, or of a file of word2vec, GloVe or fastText."""
    return open_vectors(Path(path))


def run_name(names: Sequence[str], recipe: str) -> str:
    """Return what a new run's folder is called.

    >>> run_name(["texts/novels.jsonl.gz", "more/"], "gpt"), run_name(["-"], "gpt")
    ('novels-gpt', 'text-gpt')
    """
    stem = Path(names[0].partition("://")[2] or names[0]).name.split(".")[0]
    return f"{stem.strip('-*') or 'text'}-{recipe}"


def _names(texts: Paths) -> list[str]:
    each = [texts] if isinstance(texts, (str, os.PathLike)) else texts
    return [os.fspath(name) for name in each]
