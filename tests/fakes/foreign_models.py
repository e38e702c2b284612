"""Small random models of transformers, and the folders in which it leaves them."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ziggurat.core.protocols import Tokenizer
from ziggurat.tokens.loading import train_tokenizer

VOCABULARY = 331
CONTEXT = 31
SIZES: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 24,
    "intermediate_size": 28,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "max_position_embeddings": CONTEXT,
    "bos_token_id": 0,
    "eos_token_id": 0,
    "pad_token_id": None,
}
"""What configurations of Llama's relatives share."""

GPT2_SIZES: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "n_embd": 24,
    "n_layer": 3,
    "n_head": 4,
    "n_positions": CONTEXT,
    "bos_token_id": 0,
    "eos_token_id": 0,
}
TEXT = "The tower was climbed; 塔楼 很高, said the stranger's 3 friends. " * 3


def make_model(kind: str, config: str, seed: int = 3, **keys: Any) -> Any:
    """A random model of class ``kind`` with wide weights; gains and biases are random too."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its imports
        import transformers

    transformers.logging.disable_progress_bar()
    model = getattr(transformers, kind)(getattr(transformers, config)(**keys)).eval()
    dice = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0.0, 0.3, generator=dice)
    return model


def small_tokenizer() -> Tokenizer:
    """A byte-level BPE with fewer ids than the models have."""
    from ziggurat.tokens.bpe import BpeConfig

    tokenizer = train_tokenizer([TEXT], "bpe", BpeConfig(vocab_size=311))
    assert (tokenizer.vocabulary.bos, tokenizer.vocabulary.eos) == (0, 0)
    return tokenizer


def leave(model: Any, folder: Path, *, shards: str = "5GB") -> Path:
    """Let transformers save a model, in shards of a size, and put a tokenizer beside it."""
    model.save_pretrained(folder, max_shard_size=shards)
    (folder / "tokenizer.json").write_text(small_tokenizer().to_json(), encoding="utf-8")
    return folder


def random_ids(rows: int, length: int, *, size: int = VOCABULARY, seed: int = 5) -> npt.NDArray[np.int32]:
    """Ids of a seed."""
    return np.random.default_rng(seed).integers(0, size, (rows, length), dtype=np.int32)
