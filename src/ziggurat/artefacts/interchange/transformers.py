"""Folders of transformers: ``config.json``, ``model.safetensors`` or its shards, and a tokenizer's files.

Which models open say the layouts of `ziggurat.models.layouts`. Nothing is downloaded, and no pickle is read.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ziggurat.artefacts import manifest as manifests
from ziggurat.artefacts.bundle import CONFIG, TENSORS, Bundle, chat_template
from ziggurat.artefacts.interchange import transformers_program
from ziggurat.artefacts.interchange.foreign_tokenizers import read_json, read_tokenizer
from ziggurat.artefacts.interchange.formats import Foreign, refuse_own_parts
from ziggurat.artefacts.interchange.proof import (
    Proof,
    Tolerance,
    compare_logprobs,
    compare_tokens,
    next_logprobs,
    random_ids,
)
from ziggurat.artefacts.interchange.shards import INDEX, read_weights
from ziggurat.artefacts.sentence_facts import sentence_facts, write_sentence_files
from ziggurat.artefacts.tensors import check_finite
from ziggurat.core.errors import ArtefactError, DamagedError, UsageError
from ziggurat.core.files import atomic_folder
from ziggurat.core.protocols import ContextEncoder, LanguageModel
from ziggurat.models.registry import FAMILIES

__all__ = ["FORMAT", "TransformersFolder"]

_PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json", "model.pt", "model.pth", "consolidated.00.pth")
_EXACT = Tolerance(largest=1e-6)


class TransformersFolder:
    """Models as folders of transformers."""

    suffixes: ClassVar[tuple[str, ...]] = ()
    programs: ClassVar[Mapping[str, str]] = {transformers_program.NAME: transformers_program.NAME}

    def opens(self, path: Path) -> bool:
        """Return whether it is a folder with a ``config.json``, or with weights of transformers."""
        return any((path / name).is_file() for name in (CONFIG, TENSORS, INDEX, *_PICKLES))

    def write(self, bundle: Bundle, path: Path) -> None:
        """Do `write_proven`."""
        self.write_proven(bundle, path)

    def write_proven(self, bundle: Bundle, path: Path) -> list[Proof]:
        """Write a bundle's model to the new folder ``path`` and prove it by opening it: same tokens, same answers.

        Where transformers is installed, it opens the folder too.

        Raises:
            UsageError: there is something at ``path``, or transformers has no form for such a model.
            ArtefactError: what was read back differs; nothing is left at ``path``.
            DiskFullError: the disk is full; nothing is left at ``path``.
        """
        if path.exists():
            raise UsageError(f"{path}: exists already; choose another folder")
        refuse_own_parts(bundle, "transformers")
        if not bundle.manifest.model.get("architecture"):
            raise UsageError(
                f"{bundle.path}: transformers has no form for this model of family '{bundle.manifest.family}'"
            )
        with atomic_folder(path) as folder:
            for name in bundle.manifest.files:
                if name.endswith((".json", ".safetensors", ".jinja")):
                    shutil.copyfile(bundle.path / name, folder / name)
            if isinstance(bundle.model, ContextEncoder):
                own = bundle.family.state(bundle.model)[0].get("ziggurat", {})
                write_sentence_files(folder, {**own, "width": bundle.model.width})
            proofs = _prove(bundle, self.read(folder), path)
            if transformers_program.installed():
                architecture = str(bundle.manifest.model["architecture"])
                opened = transformers_program.TransformersProgram(folder, architecture, where=path)
                proofs.append(opened.compare(bundle.model, bundle.tokenizer))
        return proofs

    def read(self, path: Path) -> Foreign:
        """Open a folder of transformers.

        Raises:
            ArtefactError: a file is missing or can't be read, or the model is none that opens here; the message names
                the file, and all arrays that don't fit.
            DamagedError: a file's content contradicts itself.
            UsageError: it is a bundle already.
        """
        if (path / manifests.NAME).is_file():
            raise UsageError(f"{path}: is a bundle already; use it as it is")
        from ziggurat.models.layouts.at_rest import with_vocabulary  # torch: only where a network is there
        from ziggurat.models.layouts.layout import LAYOUTS, carried, layout_of

        config = _config(path)
        layout = layout_of(str(config.get("model_type")))
        if layout is None:
            known = sorted(kind for name in LAYOUTS.names() for kind in LAYOUTS.get(name).model_types)
            raise ArtefactError(
                f"{path / CONFIG}: models of model_type {config.get('model_type')!r} don't open here; "
                f"these do: {', '.join(known)}"
            )
        if config.get("quantization_config"):
            raise ArtefactError(f"{path / CONFIG}: quantized weights (quantization_config) don't open here")
        if not (path / TENSORS).is_file() and not (path / INDEX).is_file():
            raise ArtefactError(_without_weights(path))
        tokenizer = read_tokenizer(path, config)
        size, theirs = config.get("vocab_size"), tokenizer.vocabulary
        if isinstance(size, int) and size < theirs.size:
            raise ArtefactError(
                f"{path}: the tokenizer has {theirs.size} ids and the model only {size} (vocab_size in {CONFIG}): "
                "they do not belong together"
            )
        try:
            weights = read_weights(path)
            model = FAMILIES.get(layout.family).restore(with_vocabulary(config, theirs), weights)
            check_finite(carried(weights, layout), path)
        except UsageError as error:
            raise ArtefactError(f"{path}: {error}") from error
        except DamagedError:
            raise
        except ArtefactError as error:
            raise ArtefactError(f"{path}: {error}") from error
        except (ValueError, LookupError, TypeError, AttributeError, RuntimeError, ArithmeticError) as error:
            raise DamagedError(f"{path / CONFIG}: damaged: it does not fit the weights ({error})") from error
        return Foreign(layout.family, model, tokenizer, chat_template(path))


def _config(path: Path) -> dict[str, Any]:
    """Return what ``config.json`` says, and under ``ziggurat`` what files of sentence-transformers say."""
    found = read_json(path / CONFIG)
    own = found.get("ziggurat", {})
    if not isinstance(own, dict):
        raise DamagedError(f"{path / CONFIG}: damaged: under 'ziggurat' stands {own!r} instead of keys and values")
    facts = sentence_facts(path)
    return {**found, "ziggurat": {**own, **facts}} if facts else found


def _without_weights(path: Path) -> str:
    pickles = [name for name in _PICKLES if (path / name).is_file()]
    if not pickles:
        return f"{path}: no weights: neither {TENSORS} nor {INDEX} is there"
    return (
        f"{path / pickles[0]}: weights as a pickle, which can run any program and is never opened here; if you trust "
        "it, convert it: python -c 'import sys, transformers as t; a, b = sys.argv[1:]; "
        "getattr(t, t.AutoConfig.from_pretrained(a).architectures[0]).from_pretrained(a).save_pretrained(b); "
        f't.AutoTokenizer.from_pretrained(a).save_pretrained(b)\' "{path}" "{path}-safe"'
    )


def _prove(bundle: Bundle, found: Foreign, path: Path) -> list[Proof]:
    """Compare tokens, configurations and arrays, and of language models also what they answer."""
    from ziggurat.models.layouts.at_rest import with_vocabulary

    tokens = compare_tokens(bundle.tokenizer, lambda text: found.tokenizer.encode(text).ids.tolist(), where=str(path))
    proofs = []
    if isinstance(bundle.model, LanguageModel) and isinstance(found.model, LanguageModel):
        ids = random_ids(bundle.model.vocabulary, bundle.model.context)
        expected, answered = next_logprobs(bundle.model, ids), next_logprobs(found.model, ids)
        proofs.append(compare_logprobs(expected, answered, _EXACT, tokens=tokens, program="Ziggurat", path=path))
    family = FAMILIES.get(found.family)
    (config, ours), (other, theirs) = family.state(bundle.model), family.state(found.model)
    different = [name for name in {**ours, **theirs} if not _same(ours, theirs, name)]
    told = found.tokenizer.vocabulary  # special ids are the tokenizer's, of which a model may know fewer
    config, other = with_vocabulary(config, told), with_vocabulary(other, told)
    different += [key for key in {**config, **other} if config.get(key) != other.get(key)]
    if different:
        raise ArtefactError(f"{path}: read back, these differ: {', '.join(different)}: not kept")
    return proofs


def _same(ours: Mapping[str, Any], theirs: Mapping[str, Any], name: str) -> bool:
    return name in ours and name in theirs and np.array_equal(ours[name], theirs[name], equal_nan=True)


FORMAT = TransformersFolder()
