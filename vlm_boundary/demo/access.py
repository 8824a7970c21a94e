"""Where the page is served, to whom, and what others may do with it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vlm_boundary.errors import UserError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
ANY = "*"
_ORIGIN = re.compile(
    r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?|https?://\[[0-9A-Fa-f:]+\](?::[0-9]{1,5})?"
)
_HOST = re.compile(r"[A-Za-z0-9.-]+|[0-9A-Fa-f:]+")
# As huggingface.co shows a Space: in a frame, from the address in SPACE_HOST, on this port.
_SPACE_FRAMES = ("https://huggingface.co",)
_SPACE_PORT = 7860


@dataclass(frozen=True)
class Access:
    """Where the page is served, to whom, and what others may do with it.

    Args:
        host: address to listen on.
        port: None takes the first free one from 7860.
        auth: names and passwords of those who may come in; without any nobody is asked, which
            serves this machine alone, unless the page is `public`.
        public: whoever reaches the address may read, and sample in the tab Live.
        hosts: names under which the page may be asked for, besides this machine's; `ANY` allows
            all. Without any, a page that listens on this machine alone answers to its names, and
            one that others reach answers to all.
        origins: where the page's own requests may come from although it is asked for under another
            name, as behind a proxy that changes it.
        frames: pages that may show this one in a frame, as origins.
        labels: folder for labels, one in it a run; None keeps them with each run, except that a
            public page takes none.

    Raises:
        UserError: others could read along without a password, or a name is none.
    """

    host: str = "127.0.0.1"
    port: int | None = None
    auth: tuple[tuple[str, str], ...] = ()
    public: bool = False
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()
    labels: Path | None = None

    def __post_init__(self) -> None:
        if self.host not in LOOPBACK and not self.auth and not self.public:
            raise UserError(
                f"--host {self.host} lets other machines read the run: give --auth NAME:PASSWORD "
                f"too, or --public if anyone may, or keep 127.0.0.1 and reach it through "
                f"'ssh -L 7860:127.0.0.1:7860 MACHINE'"
            )
        for name in self.hosts:
            if name != ANY and not _HOST.fullmatch(name):
                raise UserError(f"--allow-host {name}: give a name without port, or {ANY} for any")
        for option, origins in (("origin", self.origins), ("frame", self.frames)):
            for origin in origins:
                if not _ORIGIN.fullmatch(origin):
                    raise UserError(f"--allow-{option} {origin}: give an origin, https://NAME")

    @property
    def labelled(self) -> bool:
        """Whether readers can label."""
        return self.labels is not None or not self.public

    def answers_to(self, name: str) -> bool:
        """Whether the page is given to who asks for it under this name."""
        local = self.host in LOOPBACK
        if ANY in self.hosts or not (self.hosts or local):
            return True
        return name.lower() in {*(host.lower() for host in self.hosts), *LOOPBACK}

    def takes_from(self, origin: str) -> bool:
        """Whether requests may come from a page of this origin; case does not count in names."""
        return origin.lower() in {one.lower() for one in self.origins}

    def labels_of(self, run: str) -> Path | None:
        """Where a run's labels are kept; None for in the run itself.

        Raises:
            UserError: nothing can be written there.
        """
        if self.labels is None:
            return None
        folder = self.labels / run
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"--labels {self.labels}: {error.strerror}") from None
        if not os.access(folder, os.W_OK):
            raise UserError(f"--labels {self.labels}: {folder} cannot be written")
        return folder


def usual_access(environment: Mapping[str, str]) -> Access:
    """What holds where nothing is asked for: this machine alone; on a Space whoever may see it.

    A Space (huggingface.co) says so in SPACE_ID; SPACE_HOST has the names that it is served under,
    with commas between them. Who may see it is for the Space's own settings to say.
    """
    if not environment.get("SPACE_ID"):
        return Access()
    names = [name.strip() for name in environment.get("SPACE_HOST", "").split(",")]
    return Access(
        host="0.0.0.0",
        port=_SPACE_PORT,
        public=True,
        origins=tuple(f"https://{name}" for name in names if name),
        frames=_SPACE_FRAMES,
    )
