"""`hotline doctor`: looks at this machine and says, line by line, what is missing and what to do."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path

from sms_gateway import clock, triage
from sms_gateway.settings import Settings, SettingsAreWrong, get_settings
from sms_gateway.tickets import working_time

from . import fence, fencing, postgres, running
from .bot_model import find_model
from .places import RASA_PYTHON, DataDir, port_is_free

SPACE_LOW = 2 * 1024**3
HOLIDAYS_AHEAD = timedelta(days=30)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Verdict(StrEnum):
    FINE = "✓"
    ADVICE = "○"
    """Something is missing that only tests, or comfort, need."""
    WRONG = "✗"


@dataclass(frozen=True)
class Finding:
    verdict: Verdict
    sentence: str
    """What was found and, unless it is fine, what to do."""


def examine(say: Callable[[str], None] = print) -> int:
    """Print every finding; 0 when nothing is wrong, else 1."""
    try:
        settings = get_settings()
    except SettingsAreWrong as error:
        say(f"{Verdict.WRONG} {error}")
        return 1
    findings = list(_findings(settings))
    for finding in findings:
        say(f"{finding.verdict} {finding.sentence}")
    wrong = sum(finding.verdict is Verdict.WRONG for finding in findings)
    say(f"\n有 {wrong} 处要处理。" if wrong else "\n都好，可以 make run。")
    return 1 if wrong else 0


def _findings(settings: Settings) -> Iterator[Finding]:
    data_dir = DataDir.at(settings.data_dir)
    held = running.find_holder(data_dir)
    yield python(sys.version_info[:2])
    yield rasa_python(RASA_PYTHON)
    for name, port in (("HOTLINE_PORT", settings.port), ("HOTLINE_CONSOLE_PORT", settings.console_port)):
        yield port_finding(name, port, free=port_is_free(port), ours=held is not None)
    yield disk(shutil.disk_usage(data_dir.path).free)
    yield database(settings, data_dir)
    yield model(find_model(data_dir))
    yield fenced(fencing.missing_here())
    yield judge(by_words_alone=triage.load().by_words_alone)
    yield holidays(working_time.known_until(), clock.shanghai(clock.now()).date())
    yield keys(settings)
    yield carrier(settings)
    yield font()
    yield browser()


def python(version: tuple[int, ...]) -> Finding:
    said = ".".join(map(str, version))
    if version >= (3, 11):
        return Finding(Verdict.FINE, f"Python {said}")
    return Finding(Verdict.WRONG, f"Python {said} 太旧：请装 3.11 或更新的，再运行 make setup。")


def rasa_python(place: Path) -> Finding:
    """Rasa's environment is there and is Python 3.10."""
    command = [str(place), "-c", "import sys; print(*sys.version_info[:2], sep='.')"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        said = ""
    if said == "3.10":
        return Finding(Verdict.FINE, "Rasa 环境（Python 3.10）")
    return Finding(
        Verdict.WRONG, "Rasa 的环境不在或版本不对：请装好 Python 3.10（系统、pyenv 或 uv），再运行 make setup。"
    )


def port_finding(name: str, port: int, *, free: bool, ours: bool) -> Finding:
    """`ours`: a hotline of this folder runs, so a taken port is its own."""
    if free:
        return Finding(Verdict.FINE, f"端口 {port} 空着")
    if ours:
        return Finding(Verdict.FINE, f"端口 {port} 由正在运行的热线使用")
    return Finding(Verdict.WRONG, f"端口 {port} 被别的程序占用：停掉它，或用 {name} 换一个。")


def disk(free: int) -> Finding:
    said = f"磁盘还剩 {free / 1024**3:.1f} GB"
    if free >= SPACE_LOW:
        return Finding(Verdict.FINE, said)
    return Finding(Verdict.WRONG, f"{said}，太少了：请清理到 2 GB 以上。")


def database(settings: Settings, data_dir: DataDir) -> Finding:
    """A configured database answers; the embedded one can run here, or runs."""
    if settings.database_url is not None:
        url = settings.database_url.get_secret_value().replace("postgresql+psycopg://", "postgresql://", 1)
        if asyncio.run(postgres.is_ready(url, own=False)):
            return Finding(Verdict.FINE, "HOTLINE_DATABASE_URL 的数据库连得上")
        return Finding(Verdict.WRONG, "连不上 HOTLINE_DATABASE_URL 的数据库：请检查地址、用户、密码和它是否在运行。")
    return embedded_database(data_dir)


def embedded_database(data_dir: DataDir) -> Finding:
    found = running.read_processes(data_dir)
    if found is not None:
        if asyncio.run(postgres.is_ready(found["environment"]["HOTLINE_DATABASE_URL"])):
            return Finding(Verdict.FINE, "自带的数据库正在运行")
        return Finding(Verdict.WRONG, f"自带的数据库没有回应：请看 {data_dir.logs / 'postgres.log'}。")
    try:
        command = [str(postgres.server_binaries() / "postgres"), "--version"]
        postgres.server_user()
    except postgres.PostgresCannotRun as error:
        return Finding(Verdict.WRONG, str(error))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return Finding(
            Verdict.WRONG, "自带的数据库在这台机器上跑不起来：请用 HOTLINE_DATABASE_URL 指一个 PostgreSQL 15 以上。"
        )
    return Finding(Verdict.FINE, f"自带的数据库 {done.stdout.split()[-1]}")


def model(found: Path | None) -> Finding:
    if found is not None:
        return Finding(Verdict.FINE, "小助手已训练好")
    return Finding(Verdict.ADVICE, "小助手还没有按现在的语料训练：make run 会先训练，约一分钟。")


def fenced(missing: Sequence[str]) -> Finding:
    """Which parts of the fence around Rasa and the action server this kernel can do."""
    if not missing:
        return Finding(Verdict.FINE, "小助手和动作服务有围栏：文件、端口、系统调用、资源都有限制")
    said = "、".join(fence.PARTS.get(part, part) for part in missing)
    return Finding(
        Verdict.ADVICE, f"小助手的围栏缺：{said}。其余照常；请换内核 6.7 或更新的，或用 deploy/ 里的 systemd 单元补上。"
    )


def judge(*, by_words_alone: bool) -> Finding:
    """The weights of the danger judgement fit its word list."""
    if not by_words_alone:
        return Finding(Verdict.FINE, "危险判断：词表和权重对得上")
    return Finding(
        Verdict.WRONG,
        "危险判断的权重用不了（和词表对不上或文件坏了），现在只按词表判断，隐晦的求助会漏：请运行 make train，或换回配套的 weights.npz。",
    )


def holidays(known_until: date, today: date) -> Finding:
    """Whether the holidays of the weeks ahead are known; without them blue matters fall due a little early."""
    if known_until - today >= HOLIDAYS_AHEAD:
        return Finding(Verdict.FINE, f"节假日知道到 {known_until}")
    return Finding(
        Verdict.ADVICE,
        f"节假日只知道到 {known_until}：新一年的放假通知出来后更新 chinesecalendar（make lock），之前按周一到周五算，蓝色的单会早几天到期。",
    )


def keys(settings: Settings) -> Finding:
    """Secrets that are set have their form; in development unset ones are made at the first start."""
    if settings.data_key is None:
        return Finding(Verdict.FINE, "密钥由热线自己保管在 DATA_DIR/secrets（备份时要一起存好）")
    from sealing import Keyring

    try:
        Keyring.from_text(settings.data_key.get_secret_value())
    except ValueError:
        return Finding(Verdict.WRONG, "HOTLINE_DATA_KEY 的写法不对：应是 32 字节的 base64。")
    return Finding(Verdict.FINE, "密钥已设置")


def carrier(settings: Settings) -> Finding:
    """What is set for carriers holds together already, or the settings would not have been read."""
    said = "、".join(settings.carriers)
    if "twilio" in settings.carriers and not (settings.public_url or "").startswith("https://"):
        return Finding(
            Verdict.WRONG, "用 twilio 收短信要有公网的 https 地址：请设 HOTLINE_PUBLIC_URL，否则签名对不上。"
        )
    return Finding(Verdict.FINE, f"短信通道：{said}")


def font() -> Finding:
    fc_list = shutil.which("fc-list")
    listed = subprocess.run([fc_list, ":lang=zh"], capture_output=True, check=False).stdout if fc_list else b""
    if listed.strip():
        return Finding(Verdict.FINE, "有中文字体")
    return Finding(Verdict.ADVICE, "这台机器没有中文字体，只影响浏览器测试的截图：apt install fonts-wqy-microhei。")


def browser() -> Finding:
    named = os.environ.get("CHROMIUM")
    if shutil.which(named) if named else any(map(shutil.which, BROWSERS)):
        return Finding(Verdict.FINE, "有 Chromium")
    return Finding(
        Verdict.ADVICE, "没有 Chromium，只有 make browser 需要：apt install chromium，或用 CHROMIUM=路径 指明。"
    )
