"""Files decrypted and encrypted by gpg while they pass: plain text goes through pipes, never onto a disk.

gpg runs in a process of ours and not of python-gnupg's, which holds what it decrypts in memory or hands it to a
callback that can't end it. A preview ends gpg after the head of a file; that is no error.
"""

from __future__ import annotations

import io
import os
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO, cast

from connectors.kit.errors import ConnectorError, InputError
from connectors.kit.formats.streams import ByteStream
from connectors.kit.pgp.home import Home, private_home
from connectors.kit.pgp.keys import (
    KeyInfo,
    key_bytes,
    load_private_key,
    load_public_key,
    refuse_passphrase,
    usable_passphrase,
)

CHUNK_SIZE = 256 * 1024
PIPE_SIZE = 1024 * 1024
"""Bytes that wait between two processes where the system lets us choose: fewer switches between them."""

_REPORT_LIMIT = 20_000


@contextmanager
def decrypted(stream: ByteStream, private_key: str, passphrase: str | None) -> Iterator[ByteStream]:
    """What is encrypted in `stream`, which is read from where it stands and stays open: a file by gpg itself, anything
    else in a thread of its own.

    The result can't seek. Raises InputError for a key that can't be used, at once; while reading for a file that is
    encrypted for another key; after the last good bytes for one that was cut off or changed. What `stream` raises is
    raised there too.
    """
    data = key_bytes(private_key, "private")
    usable_passphrase(passphrase)
    with private_home() as home:
        info = load_private_key(home, data)
        plain = _Decrypted(home, info, stream, passphrase)
        try:
            yield plain
        finally:
            plain.close()


@contextmanager
def encrypting(target: Path, public_key: str, *, compress: bool) -> Iterator[BinaryIO]:
    """A file to write plain bytes to; `target` is their encrypted form once the context was left without an error.

    Until then, and after an error, there is no `target` (or the one that was there before). `compress` is for plain
    bytes that are not compressed already; it is the slower part by far. Raises InputError and GpgMissing.
    """
    data = key_bytes(public_key, "public")
    part = target.with_name(target.name + ".part")
    with private_home() as home:
        info = load_public_key(home, data)
        sink = _Encrypting(home, info, part, compress=compress)
        try:
            writer = io.BufferedWriter(sink, CHUNK_SIZE)
            yield cast(BinaryIO, writer)
            if not writer.closed:
                writer.flush()
            sink.finish()
            part.replace(target)
        finally:
            sink.abandon()
            part.unlink(missing_ok=True)


class _Gpg:
    """A running gpg: its pipes, and what it reports, which lies in the home so that nobody has to wait for it."""

    def __init__(self, home: Home, *arguments: str, output: int, inherited: tuple[int, ...] = ()) -> None:
        report = home.path / "report"
        self._report = report
        with report.open("wb") as file:
            self.process = subprocess.Popen(
                home.command(*arguments),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=file,
                env=home.keys.env,
                pass_fds=inherited,
                bufsize=0,
            )
        assert self.process.stdin is not None
        self.input: IO[bytes] = self.process.stdin
        _widen(self.input)

    def report(self) -> str:
        with self._report.open("rb") as file:
            return file.read(_REPORT_LIMIT).decode("utf-8", "replace")

    def end(self) -> None:
        """End it wherever it is."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


class _Decrypted:
    """The plain bytes, while gpg makes them."""

    def __init__(self, home: Home, info: KeyInfo, stream: ByteStream, passphrase: str | None) -> None:
        self._info = info
        self._stream = stream
        self._passphrase = passphrase
        file = _file_number(stream)
        if file is None:
            self._gpg = _Gpg(home, "--decrypt", output=subprocess.PIPE)
        else:
            # Half as fast again as when the bytes pass through here on their way.
            _stand_exactly(cast(BinaryIO, stream))
            arguments = ("--enable-special-filenames", "--decrypt", "--", f"-&{file}")
            self._gpg = _Gpg(home, *arguments, output=subprocess.PIPE, inherited=(file,))
        self._by_itself = file is not None
        assert self._gpg.process.stdout is not None
        self._output = self._gpg.process.stdout
        _widen(self._output)
        self._position = 0
        self._ended = False
        self._stopping = False
        self._broken: BaseException | None = None
        self._feeder = threading.Thread(target=self._feed, name="pgp-input", daemon=True)
        self._feeder.start()

    def _feed(self) -> None:
        # Writing fails only if gpg has gone, which the reader notices; closing says to gpg that this is all.
        with suppress(OSError), self._gpg.input as pipe:
            pipe.write((self._passphrase or "").encode() + b"\n")
            while not (self._stopping or self._by_itself):
                try:
                    data = memoryview(self._stream.read(CHUNK_SIZE))
                except BaseException as error:
                    self._broken = error
                    break
                if not data:
                    break
                while data:
                    data = data[pipe.write(data) :]

    def read(self, size: int, /) -> bytes:
        if self._ended:
            return b""
        data = self._output.read(size)
        if not data and size:
            self._check_end()
            self._ended = True
        self._position += len(data)
        return data

    def _check_end(self) -> None:
        """Raise what went wrong, if anything did: only gpg's word that all was there and unchanged is an end."""
        self._gpg.process.wait()
        self._feeder.join()
        if self._broken is not None:
            raise self._broken
        report = self._gpg.report()
        words = {line.split()[0] for line in re.findall(r"^\[GNUPG:\] (\S.*)$", report, re.MULTILINE)}
        if "DECRYPTION_OKAY" in words and not words & {"DECRYPTION_FAILED", "BADMDC"}:
            return
        raise _decryption_fault(report, words, self._info, self._passphrase)

    def seek(self, offset: int, /) -> int:
        raise io.UnsupportedOperation("decrypted bytes pass once")

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        return self._position

    def close(self) -> None:
        """End gpg, if it still runs, and wait until nobody reads the encrypted stream any more."""
        self._ended = self._stopping = True
        # gpg goes first: the thread may be waiting for it to take what it writes.
        self._gpg.process.kill()
        self._feeder.join()
        self._gpg.end()


class _Encrypting(io.RawIOBase):
    """What gpg's input looks like to a writer."""

    def __init__(self, home: Home, info: KeyInfo, part: Path, *, compress: bool) -> None:
        super().__init__()
        self._part = part
        packed = () if compress else ("--compress-algo", "none")
        with suppress(FileNotFoundError):
            part.unlink()
        self._gpg = _Gpg(
            home,
            *packed,
            *("--output", str(part), "--recipient", info.fingerprint, "--encrypt"),
            output=subprocess.DEVNULL,
        )
        self._ended = False
        self._gpg.input.write(b"\n")

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        try:
            return self._gpg.input.write(cast(bytes, data))
        except OSError as error:
            self._gpg.process.wait()
            raise self._fault() from error

    def finish(self) -> None:
        """Wait until the encrypted file is whole. Raises InputError when it is not."""
        with suppress(OSError):
            self._gpg.input.close()
        code = self._gpg.process.wait()
        self._ended = True
        if code != 0 or "[GNUPG:] END_ENCRYPTION" not in self._gpg.report():
            raise self._fault()

    def _fault(self) -> ConnectorError:
        report = self._gpg.report()
        if "No space left" in report or "quota exceeded" in report:
            return InputError(
                f"There is no room left on the disk for {self._part.name.removesuffix('.part')}.",
                advice="Make room and run the job again.",
                details=_told(report),
            )
        return InputError(
            "GnuPG could not encrypt the file.",
            advice="Check the public key in the authorization; the details say what GnuPG met.",
            details=_told(report),
        )

    def abandon(self) -> None:
        """End gpg if it has not ended by itself; closing its input would make a whole file of half the bytes."""
        if not self._ended:
            self._ended = True
            self._gpg.end()


def _decryption_fault(report: str, words: set[str], info: KeyInfo, passphrase: str | None) -> InputError:
    """Why gpg did not decrypt, or not to the end."""
    details = _told(report)
    recipients = re.findall(r"^\[GNUPG:\] ENC_TO (\S+)", report, re.MULTILINE)
    if "DECRYPTION_INFO" in words:
        if "not integrity protected" in report:
            return InputError(
                "The PGP file has no protection against changes, so it can't be trusted.",
                advice="Ask its sender to encrypt it with a PGP program of this century.",
                details=details,
            )
        return InputError(
            "The PGP file was cut off or changed on its way: it is not what its sender encrypted.",
            advice="Probably it was not copied completely. Get the file once more.",
            details=details,
        )
    if recipients and "DECRYPTION_FAILED" in words:
        try:
            refuse_passphrase(report, info.names, passphrase)
        except InputError as error:
            return error
        owner = info.names[0] if info.names else "this key"
        return InputError(
            f"The file is encrypted for another key than the one that was given ({owner}, {info.fingerprint[-16:]}).",
            advice=f"It takes the private key for {', '.join(recipients[:5])}; enter that one, or have the file "
            "encrypted with the public key of yours.",
            details=details,
        )
    if "NEED_PASSPHRASE_SYM" in words:
        return InputError(
            "The file is encrypted with a passphrase and not for a key.",
            advice="Ask its sender to encrypt it with your public key.",
            details=details,
        )
    return InputError(
        "The PGP file is incomplete or damaged.",
        advice="Probably it was not copied completely. Get the file once more.",
        details=details,
    )


def _stand_exactly(file: BinaryIO) -> None:
    """Let the system, too, be where the file is said to be: what was read ahead is given up on the way to the end."""
    position = file.tell()
    file.seek(0, os.SEEK_END)
    file.seek(position)


def _file_number(stream: ByteStream) -> int | None:
    """The number of an open file of the disk, which gpg can read from; None for anything else."""
    if os.name != "posix":
        return None
    try:
        number = int(stream.fileno())  # type: ignore[attr-defined]
    except (AttributeError, OSError):
        return None
    return number if stat.S_ISREG(os.fstat(number).st_mode) else None


def _told(report: str) -> str:
    """What gpg said to people; the lines for programs name files and keys."""
    return "\n".join(line for line in report.splitlines() if line.startswith("gpg: "))[:2_000]


def _widen(pipe: IO[bytes]) -> None:
    if sys.platform == "linux":
        import fcntl

        # Refused to a user who has too many such pipes; it works without, only slower.
        with suppress(OSError):
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, PIPE_SIZE)
