"""`hotline run`: everything up in its order, the pages printed, everything down again on Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import SecretStr

from sms_gateway import clock
from sms_gateway.settings import ROOT, Settings, get_settings, read_settings

from . import bot_login, postgres, running
from .bot_model import TrainingFailed, find_model, trained_model
from .children import SECRETS, Inner, children, inner_environment, outer_environment
from .log_files import keep_small
from .places import PYTHON, RASA_PYTHON, DataDir, free_ports, port_is_free
from .supervisor import Child, ChildDidNotStart, Supervisor

SPACE_NEEDED = 500 * 1024**2
DEMO_LOGINS = (
    ("值班长", "demo-banzhang"),
    ("值班员", "demo-zhiban"),
    ("手册编辑", "demo-bianji"),
    ("承办单位", "demo-jiaoyu"),
)
"""Who may sign in by the printed one-time links in development."""
NAMES = {
    "postgres": "数据库", "migrate": "建表", "demo": "演示数据", "rasa": "小助手", "actions": "动作服务", "danger": "危险识别",
    "gateway": "网关", "console": "值班台", "cmpp": "国内通道", "cmpp2": "第二条国内通道",
}  # fmt: skip


class CannotStart(Exception):
    """One Chinese sentence, with a short English one."""


def say(line: str) -> None:
    print(line, flush=True)


def run() -> int:
    """Run until told to stop; returns the exit code."""
    settings = get_settings()
    data_dir = DataDir.at(settings.data_dir)
    me = running.Holder(os.getpid(), clock.shanghai(clock.now()).strftime("%Y-%m-%d %H:%M:%S"), settings.gateway_url)
    try:
        with running.hold(data_dir, me):
            _check_room(settings, data_dir)
            read_settings({name: _secret(settings, data_dir, name) for name in SECRETS})  # rules that need the secrets
            return asyncio.run(_Start(settings, data_dir, _inner(settings, data_dir)).serve())
    except running.FolderIsHeld as error:
        say(_held(data_dir, error.holder))
    except (CannotStart, TrainingFailed, postgres.PostgresCannotRun) as error:
        say(f"✗ {error}")
    except KeyboardInterrupt:
        say("已停止。")
    return 1


def _secret(settings: Settings, data_dir: DataDir, name: str) -> str:
    said: SecretStr | None = getattr(settings, name)
    return said.get_secret_value() if said is not None else data_dir.secret(name)


def _held(data_dir: DataDir, holder: running.Holder | None) -> str:
    if holder is None:
        return f"✗ 另一个 make run 正在用 {data_dir.path}。 Another make run holds this folder."
    return (
        f"✗ {data_dir.path} 正被另一个 make run 使用：进程 {holder.pid}，从 {holder.since} 开始，页面 {holder.pages}；"
        f"要停它用 make stop。 Held by pid {holder.pid}."
    )


def _check_room(settings: Settings, data_dir: DataDir) -> None:
    doors = ((f"{name} 的 door_port", line.door_port) for name, line in settings.domestic.items())
    for name, port in (("HOTLINE_PORT", settings.port), ("HOTLINE_CONSOLE_PORT", settings.console_port), *doors):
        if not port_is_free(port):
            raise CannotStart(f"端口 {port} 已被别的程序占用：停掉它，或用 {name} 换一个。 Port {port} is in use.")
    if shutil.disk_usage(data_dir.path).free < SPACE_NEEDED:
        raise CannotStart(f"磁盘快满了：{data_dir.path} 所在的盘不到 500 MB。 The disk is almost full.")


def _inner(settings: Settings, data_dir: DataDir) -> Inner:
    """The inner ports, the database's address and the model (trained first when it must be)."""
    if find_model(data_dir) is None:
        if not RASA_PYTHON.exists():
            raise CannotStart("还没有 Rasa 的环境：请用 make run 启动，它会先装好。 Run `make run`.")
        say("· 训练小助手（第一次或语料改过，约一分钟） …")
    model = trained_model(data_dir)
    rasa, actions, database = free_ports(3)
    external = settings.database_url
    url = external.get_secret_value() if external else postgres.server_url(database, data_dir.secret("postgres"))
    return Inner(
        rasa, actions, url.replace("postgresql+psycopg://", "postgresql://", 1), model, 0 if external else database
    )


class _Start:
    """One start: the supervisor, and what is told to whom."""

    def __init__(self, settings: Settings, data_dir: DataDir, inner: Inner) -> None:
        self.settings, self.data_dir, self.inner = settings, data_dir, inner
        self.environment = inner_environment(data_dir, inner, outer_environment(settings))
        self.lines = {name: line.door_port for name, line in settings.domestic.items()}
        self.table = children(inner, self.environment, lines=self.lines)
        self.supervisor = Supervisor(data_dir.logs, note=self._note, cwd=ROOT)
        self.up = False

    async def serve(self) -> int:
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        rotation = asyncio.create_task(keep_small(self.data_dir.logs))
        start, stop = asyncio.create_task(self._bring_up()), asyncio.create_task(stopped.wait())
        code = 0
        try:
            await asyncio.wait({start, stop}, return_when=asyncio.FIRST_COMPLETED)
            if start.done():
                start.result()
                await stop
        except ChildDidNotStart as error:
            say(
                f"✗ {self._name(error.name)}没有起来，原因见 {self.data_dir.logs / error.name}.log。 {error.name} did not start."
            )
            code = 1
        finally:
            self.up = False
            if code == 0:
                say("\n正在停止 …")
            for task in (start, stop, rotation):
                task.cancel()
            await asyncio.gather(start, stop, rotation, return_exceptions=True)
            await self.supervisor.stop()
        say("已停止。")
        return code

    async def _bring_up(self) -> None:
        began = time.monotonic()
        await self._database()
        await self._once("migrate")
        self.inner = replace(self.inner, bot_database=await asyncio.to_thread(bot_login.make, self.inner.database_url))
        self.table = children(self.inner, self.environment, lines=self.lines)
        if self.settings.demo_data and not self.settings.production:
            await self._once("demo")
        for name in ("rasa", "actions", *(name for name in self.table if name not in {"rasa", "actions"})):
            await self.supervisor.start(self.table[name], wait=False)
        for name in ("gateway", "console", "actions"):
            await self.supervisor.wait_ready(name, within=90)
            say(f"  ✓ {self._name(name)}")
        try:  # texts are judged, answered in danger and handed to people without it
            await self.supervisor.wait_ready("rasa", within=150)
            say(f"  ✓ {self._name('rasa')}")
        except ChildDidNotStart:
            say(f"  ! 小助手还没起来（见 {self.data_dir.logs / 'rasa'}.log）；危险识别和人工照常，它起来后会自动接上。")
        self.up = True
        say(f"全部就绪，用了 {time.monotonic() - began:.0f} 秒。\n")
        await asyncio.to_thread(self._print_pages)

    async def _database(self) -> None:
        url = self.inner.database_url
        if self.inner.database_port:
            cluster = postgres.cluster_folder(self.data_dir.path)
            user = await asyncio.to_thread(postgres.make_cluster, cluster, password=self.data_dir.secret("postgres"))
            command = tuple(postgres.server_command(cluster, self.inner.database_port))
            child = Child(
                "postgres", command, {"PATH": os.environ.get("PATH", ""), "TZ": "UTC"}, ready=lambda: postgres.is_ready(url),
                stop_signal=signal.SIGINT, orphan_signal=signal.SIGINT, stop_within=30, user=user.ids,
            )  # fmt: skip
            await self.supervisor.start(child, within=120)
            await asyncio.to_thread(postgres.create_database, url)
        elif not await self._answers_within(url, 30):
            raise CannotStart(
                "连不上 HOTLINE_DATABASE_URL 指的数据库：请检查地址、用户和密码。 The database does not answer."
            )
        say("  ✓ 数据库")

    @staticmethod
    async def _answers_within(url: str, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if await postgres.is_ready(url, own=False):
                return True
            await asyncio.sleep(0.5)
        return False

    async def _once(self, name: str) -> None:
        command = (str(PYTHON), "-m", "sms_gateway.cli", name)
        await self.supervisor.start(Child(name, command, self.environment, once=True), within=600)
        say(f"  ✓ {self._name(name)}")

    def _print_pages(self) -> None:
        gateway, console = self.settings.gateway_url, f"http://127.0.0.1:{self.settings.console_port}"
        say(f"  网页咨询  {gateway}/")
        if "simulator" in self.settings.carriers:
            say(f"  模拟手机  {gateway}/phone")
        say(f"  值班台    {console}/")
        if self.settings.demo_data and not self.settings.production:
            for title, login in DEMO_LOGINS:
                say(f"  {title}一次性登录  {self._link(login)}")
        say(f"\n日志在 {self.data_dir.logs}。按 Ctrl-C 全部停止。")

    def _link(self, login: str) -> str:
        command = [str(PYTHON), "-m", "sms_gateway.cli", "operator", "link", login]
        done = subprocess.run(command, env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else f"（没有做成，可再试：hotline operator link {login}）"

    def _note(self, event: str, **ids: Any) -> None:
        line = {"event": event, "at": clock.now().isoformat(timespec="milliseconds"), **ids}
        with (self.data_dir.logs / "supervisor.log").open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        if event == "died" and self.up:
            say(f"  ! {self._name(ids['child'])}停了（{ids['code']}），{ids['pause']:g} 秒后重启。")
        running.write_processes(self.data_dir, processes=self._processes(), environment=self.environment)

    def _processes(self) -> Mapping[str, Mapping[str, Any]]:
        ports = {
            "postgres": self.inner.database_port, "rasa": self.inner.rasa_port, "actions": self.inner.actions_port,
            "gateway": self.settings.port, "console": self.settings.console_port, **self.lines,
        }  # fmt: skip
        return {
            name: {"pid": kept.pid, "port": ports.get(name), "restarts": kept.restarts}
            for name, kept in self.supervisor.kept.items()
        }

    @staticmethod
    def _name(child: str) -> str:
        return NAMES.get(child, f"工作进程 {child}")


def stop() -> int:
    """`hotline stop`."""
    data_dir = DataDir.at(get_settings().data_dir)
    holder = running.find_holder(data_dir)
    if holder is None:
        say("没有在运行。 Nothing is running.")
        return 0
    if running.stop(data_dir):
        say("已停止。")
        return 0
    say(f"✗ 进程 {holder.pid} 还没有停下来：请看 {data_dir.logs / 'supervisor.log'}。 It did not stop.")
    return 1


def reset(*, sure: bool) -> int:
    """`hotline reset`: everything this DATA_DIR holds goes, after a question (not asked when `sure`)."""
    settings = get_settings()
    data_dir = DataDir.at(settings.data_dir)
    if holder := running.find_holder(data_dir):
        say(f"✗ 还在运行（进程 {holder.pid}）：请先 make stop。 Still running.")
        return 1
    if not data_dir.mark.exists():
        say(f"✗ {data_dir.path} 里本来就有别的文件，不敢整个删除：请自己动手。 Not a folder of our own.")
        return 1
    say(f"将删除 {data_dir.path} 里的一切：数据库、短信、工单、密钥、模型、日志。删了就找不回来。")
    if not sure:
        with contextlib.suppress(EOFError):
            sure = input("确定要删吗？请输入 删除：").strip() == "删除"
    if not sure:
        say("没有删除。")
        return 1
    for folder in (postgres.cluster_folder(data_dir.path), data_dir.path):
        shutil.rmtree(folder, ignore_errors=True)
    say("已全部删除。")
    return 0
