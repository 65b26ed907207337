"""A private SLURM on 127.0.0.1: two nodes with made-up GPUs, all in one folder, as whoever runs it. No systemd, no cgroups."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "scontrol", "sinfo")
INSTALL = "apt-get install -y --no-install-recommends slurm-wlm munge"
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
DEVICES = ("null", "zero", "full", "random")
"""Stand-ins of GPUs, below /dev: SLURM hands each to one job at a time and names it in CUDA_VISIBLE_DEVICES."""
NODES = ("n1", "n2")

CONF = """\
ClusterName=private
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/sock
CredType=cred/munge
{bind}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
MpiDefault=none
SwitchType=switch/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/log/jobs.txt
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
EnforcePartLimits=ALL
GresTypes=gpu
SlurmdParameters=config_overrides
ReturnToService=2
MinJobAge=600
KillWait=20
MailProg=/bin/true
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={port_1} CPUs=16 RealMemory=64000 Gres=gpu:{gpus} State=UNKNOWN
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={port_2} CPUs=4 RealMemory=16000 Gres=gpu:1 State=UNKNOWN
PartitionName=main Nodes=n1 Default=YES MaxTime=INFINITE DefMemPerCPU=100 State=UP
PartitionName=gpu Nodes=n1 MaxTime=INFINITE DefMemPerCPU=100 State=UP
PartitionName=spare Nodes=n2 MaxTime=INFINITE DefMemPerCPU=100 PriorityTier=1 State=UP
PartitionName=urgent Nodes=n2 MaxTime=INFINITE DefMemPerCPU=100 PriorityTier=10 State=UP
PartitionName=both Nodes=n1,n2 MaxTime=INFINITE DefMemPerCPU=100 State=UP
"""


def missing() -> list[str]:
    """Return the programs of SLURM that this machine lacks."""
    return [name for name in NEEDED if shutil.which(name, path=PATH) is None]


class Cluster:
    """Partitions main and gpu are one node; spare and urgent are another, from which urgent jobs take spare ones away.

    Partition both has both nodes.
    """

    def __init__(self) -> None:
        # /tmp: a unix socket's path may have 108 bytes, and munged wants all folders above its socket to be reachable
        self.folder = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))
        self.folder.chmod(0o711)
        for name in ("munge", "etc", "state", *(f"spool-{node}" for node in NODES), "log", "bin"):
            (self.folder / name).mkdir(mode=0o711)
        key = self.folder / "munge/key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        self.conf = self.folder / "etc/slurm.conf"
        self._configure()
        self._wrap_srun()
        self.env = {"SLURM_CONF": str(self.conf), "PATH": f"{Path(sys.executable).parent}:{self.folder}/bin:{PATH}"}
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}
        self._closed = threading.Event()

    def __enter__(self) -> Self:
        folder = self.folder
        try:
            self._start(
                *("munged", "-F", f"--socket={folder}/munge/sock", f"--key-file={folder}/munge/key", "--num-threads=2"),
                *(f"--pid-file={folder}/munge/pid", f"--seed-file={folder}/munge/seed", f"--log-file={folder}/munge/log"),
            )
            self.until((folder / "munge/sock").exists, "munged")
            self._start("slurmctld", "-D", "-c", "-f", str(self.conf))
            for node in NODES:
                self._start("slurmd", "-D", "-c", "-N", node, "-f", str(self.conf), name=f"slurmd {node}")
            self.until(self._is_idle, "the nodes")
            threading.Thread(target=self._hurry, daemon=True).start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closed.set()
        if "slurmctld" in self._daemons:
            self.say("scancel", "-u", str(os.getuid()))
            with suppress(AssertionError):
                self.until(lambda: not self.jobs("PD,R,CG"), "the end of all jobs", longest_s=15)
        for name in reversed(list(self._daemons)):
            self._stop(name)
        if not os.environ.get("REPROID_KEEP_SLURM"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def say(self, *command: str) -> str:
        """Run a client of SLURM and return what it prints."""
        environment = {**os.environ, **self.env}
        return subprocess.run(command, env=environment, text=True, capture_output=True, timeout=60, check=False).stdout

    def jobs(self, states: str = "all", *, of: Path | None = None) -> list[dict[str, str]]:
        """Return the jobs in these states, oldest first, as scontrol shows them; ``of``: those submitted from this folder."""
        shown = [line for line in self.say("scontrol", "show", "--oneliner", "jobs").splitlines() if line.startswith("JobId=")]
        ids = set(self.say("squeue", "-h", "-t", states, "-o", "%i").split())
        found = [dict(pair.partition("=")[::2] for pair in line.split()) for line in shown]
        return [job for job in found if job["JobId"] in ids and (of is None or job["WorkDir"] == str(of))]

    def stop_controller(self) -> None:
        """Take the controller away, as for its maintenance; jobs go on."""
        self._stop("slurmctld")

    def start_controller(self) -> None:
        """Bring it back, with what it had saved."""
        self._start("slurmctld", "-D", "-f", str(self.conf))

    def until(self, condition: Callable[[], bool], what: str, *, longest_s: float = 60) -> None:
        """Wait for a condition."""
        deadline = time.monotonic() + longest_s
        while not condition():
            ended = [name for name, daemon in self._daemons.items() if daemon.poll() is not None]
            assert not ended, f"{ended} ended while {what} was awaited:\n{self.log()}"
            assert time.monotonic() < deadline, f"{what} did not come in {longest_s} s:\n{self.log()}"
            time.sleep(0.05)

    def log(self) -> str:
        """Return the ends of the daemons' logs."""
        return "\n".join(
            f"== {path.name}\n{path.read_text(errors='replace')[-1500:]}" for path in (self.folder / "log").iterdir()
        )

    def _hurry(self) -> None:
        """Start requeued jobs at once; SLURM itself waits two minutes."""
        while not self._closed.wait(1):
            for job in self.say("squeue", "-h", "-t", "PD", "-o", "%i|%r").split():
                if job.endswith("|BeginTime"):
                    self.say("scontrol", "update", f"JobId={job.partition('|')[0]}", "StartTime=now")

    def _is_idle(self) -> bool:
        return self.say("sinfo", "-h", "-N", "-o", "%N %T").split() == ["n1", "idle"] * 3 + ["n2", "idle"] * 3

    def _configure(self) -> None:
        host = socket.gethostname().split(".")[0]
        loopback = False
        with suppress(OSError):
            loopback = socket.gethostbyname(host).startswith("127.")
        controller_port, port_1, port_2 = _free_ports(3)
        values = {
            "host": host,
            "controller_port": controller_port,
            "port_1": port_1,
            "port_2": port_2,
            "user": subprocess.check_output(["id", "-un"], text=True).strip(),
            "folder": self.folder,
            # only where the machine's own name is an address of the loopback; elsewhere the daemons listen on all
            "bind": "CommunicationParameters=NoInAddrAny,NoCtldInAddrAny" if loopback else "",
            "gpus": len(DEVICES),
        }
        self.conf.write_text(CONF.format_map(values))
        gpus = [*(f"NodeName=n1 Name=gpu File=/dev/{device}" for device in DEVICES), "NodeName=n2 Name=gpu File=/dev/null"]
        (self.folder / "etc/gres.conf").write_text("\n".join(["AutoDetect=off", *gpus, ""]))

    def _wrap_srun(self) -> None:
        """Tell srun where the cluster is: the job-step plug-in drops SLURM_CONF, for on a real cluster it is in /etc/slurm."""
        wrapper = self.folder / "bin/srun"
        wrapper.write_text(f'#!/bin/sh\nSLURM_CONF="{self.conf}" exec {shutil.which("srun", path=PATH)} "$@"\n')
        wrapper.chmod(0o755)

    def _start(self, *command: str, name: str | None = None) -> None:
        name = name or command[0]
        with (self.folder / f"log/{name}.log").open("ab") as log:
            self._daemons[name] = subprocess.Popen(
                command,
                env={**os.environ, **self.env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _stop(self, name: str) -> None:
        daemon = self._daemons.pop(name, None)
        if daemon is None:
            return
        daemon.terminate()
        try:
            daemon.wait(15)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
