"""All kernels there are: each module in ``kernels`` brings one, adding a kernel edits nothing."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType

from lienthong.standardise import kernels
from lienthong.standardise.kernel import Kernel


@functools.cache
def all_kernels() -> Mapping[str, Kernel]:
    """Return every kernel by the name value domains use."""
    found: dict[str, Kernel] = {}
    for module in pkgutil.iter_modules(kernels.__path__):
        kernel: Kernel = importlib.import_module(f"{kernels.__name__}.{module.name}").KERNEL
        assert kernel.name not in found, f"two kernels are named {kernel.name}"
        assert kernel.name == module.name.replace("_", "-"), f"kernel {kernel.name} lives in module {module.name}"
        found[kernel.name] = kernel
    return MappingProxyType(found)
