"""What a run makes of its machine: operations a second, and what part these are of what its devices can do.

*Maths.* Model FLOPs utilisation (Chowdhery et al. 2022, "PaLM", appendix B): the operations that the model's steps need
(`Anatomy.training_flops`), divided by the seconds since the first step and by the peak of all devices. What is made
again to save memory is no work of the model's, and evaluations and checkpoints take of the seconds: both lower it.
"""

import torch

from ziggurat.core.anatomy import Sizes
from ziggurat.core.protocols import Dissects, ReadsLabels, ReadsTags
from ziggurat.core.types import Vocabulary
from ziggurat.training.job import Job

__all__ = ["device_name", "peak_flops", "utilisation"]

_PEAKS = (
    ({"H100", "HBM3"}, 989e12),  # NVIDIA H100 data sheet, SXM; the others have no HBM3 in their name
    ({"H200"}, 989e12),  # NVIDIA H200 data sheet, SXM
    ({"A100"}, 312e12),  # NVIDIA A100 data sheet, SXM and PCIe
    ({"L4"}, 121e12),  # NVIDIA L4 data sheet
    ({"RTX", "4090"}, 165.2e12),  # NVIDIA Ada GPU architecture paper, appendix A
)
"""Words of a device's name, and its dense products of 16-bit numbers (bfloat16, summed in 32-bit) a second."""
_OTHERS = {"NVL", "MIG", "LAPTOP", "D"}
"""Words of devices that share those words and are slower, or parts of one."""


def peak_flops(name: str) -> float | None:
    """Return the operations a second that the data sheet of a device promises, None where it is not known.

    >>> peak_flops("NVIDIA A100-SXM4-80GB"), peak_flops("NVIDIA L40S")
    (312000000000000.0, None)
    """
    words = set(name.upper().replace("-", " ").split())
    return next((peak for parts, peak in _PEAKS if parts <= words and not words & _OTHERS), None)


def device_name(device: torch.device) -> str:
    """Return the name of a GPU; of a processor nothing, since its peak is on no data sheet."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else ""


def utilisation(
    job: Job, vocabulary: Vocabulary, *, steps: int, seconds: float, device: str, processes: int
) -> dict[str, float]:
    """Return ``flops_per_second`` of all processes together, and ``mfu`` where the peak of ``device`` is known.

    Nothing where the family tells no anatomy, or reads pairs, whole texts or sentences of words: these are as long as
    they happen to be. A step's rows are the same for any number of processes.
    """
    if not isinstance(job.family, Dissects) or isinstance(job.family, (ReadsLabels, ReadsTags)):
        return {}
    anatomy = job.family.anatomy(job.model_config, vocabulary)
    if anatomy.translates:
        return {}
    batch, _ = anatomy.loads(Sizes(), window=job.config.window, rows=job.config.rows)
    speed = job.config.accumulate * anatomy.training_flops(batch) * steps / seconds
    peak = peak_flops(device)
    return {"flops_per_second": speed, **({} if peak is None else {"mfu": speed / (peak * processes)})}
