"""The processor that code is made for, and LLVM's way from a module to machine code."""

from __future__ import annotations

from functools import cache as once
from typing import Any


@once
def processor() -> str:
    """Give the name of the processor, and what it can do."""
    import llvmlite.binding as llvm

    return f"{llvm.get_host_cpu_name()} {llvm.get_host_cpu_features().flatten()}"


@once
def started() -> Any:
    """Give LLVM, ready for this processor."""
    import llvmlite.binding as llvm

    if tuple(map(int, llvm.llvm_version_info)) < (20,):
        llvm.initialize()
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


@once
def machine() -> Any:
    """Give what makes machine code that is linked in memory."""
    llvm = started()
    target = llvm.Target.from_default_triple()
    static = target.name.startswith("x86")  # as Numba has it
    return target.create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=2,
        reloc="static" if static else "default",
        codemodel="jitdefault",
        jit=True,
    )


def optimise(module: Any, **options: object) -> None:
    """Run LLVM's passes over a module.

    Parameters
    ----------
    module : llvmlite.binding.ModuleRef
        The module.
    **options : object
        What the passes are told beside their defaults.
    """
    llvm = started()
    tuning = llvm.create_pipeline_tuning_options(speed_level=2)
    for name, value in options.items():
        setattr(tuning, name, value)
    builder = llvm.create_pass_builder(machine(), tuning)
    builder.getModulePassManager().run(module, builder)
