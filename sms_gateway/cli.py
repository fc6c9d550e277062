"""`hotline …`: one line a command. A command's code is loaded only when it is called, so that each starts quickly."""

from __future__ import annotations

import importlib
from typing import Any

import typer
from typer.core import TyperGroup

COMMANDS = {
    "run": ("sms_gateway.supervision.commands:run", "启动全部（make run）"),
    "stop": ("sms_gateway.supervision.commands:stop", "停止正在运行的全部进程"),
    "reset": ("sms_gateway.supervision.commands:reset", "删除全部数据（会先问）"),
    "doctor": ("sms_gateway.supervision.commands:doctor", "检查这台机器缺什么"),
    "setup": ("sms_gateway.supervision.commands:setup", "训练小助手（make 会调用）"),
    "train": ("sms_gateway.supervision.commands:train", "训练小助手"),
    "gateway": ("sms_gateway.processes:gateway", "网关：短信、网页咨询、接口"),
    "console": ("sms_gateway.processes:console", "值班台"),
    "simulator": ("sms_gateway.processes:simulator", "模拟运营商单独一个进程，记得每条短信的下落（只供开发）"),
    "cmpp-gateway": (
        "sms_gateway.processes:cmpp_gateway",
        "模拟的 CMPP 短信网关，一个进程，记得每条短信的下落（只供开发）",
    ),
    "line": ("sms_gateway.processes:line", "一条国内通道（CMPP）：连着运营商的短信网关，替别的进程收发"),
    "worker": ("sms_gateway.processes:worker", "一个队列的工作进程"),
    "actions": ("sms_gateway.processes:actions", "动作服务"),
    "migrate": ("sms_gateway.processes:migrate", "建表或升级表"),
    "predict": ("sms_gateway.commands.predict:predict", "逐行判断：triage、intent、faq"),
    "replay": ("sms_gateway.commands.replay:replay", "把写好的对话走一遍真的流程"),
    "drill": ("sms_gateway.commands.drill:drill", "演练：放入做了标记的紧急来信，记下多久响铃、多久有人接"),
    "keys": ("sms_gateway.commands.keys:app", "数据密钥：new、rotate、status、drop"),
    "backup": ("sms_gateway.commands.backup:backup", "备份数据库和还没入库的短信，整个加密"),
    "restore": ("sms_gateway.commands.restore:restore", "从备份恢复到空的机器上"),
    "broadcast": ("sms_gateway.commands.broadcast:app", "群发：import、rolls"),
    "handbook": ("sms_gateway.commands.handbook:app", "问答手册：check、ask"),
    "operator": ("sms_gateway.commands.operator:app", "值班员账号：add、disable、reset、role、link、reset-totp"),
    "api-key": ("sms_gateway.commands.api_key:app", "部门系统的接口密钥：add、list、end"),
    "subscription": ("sms_gateway.commands.subscription:app", "部门的事件推送：add、list、pause、resume、secret"),
    "audit": ("sms_gateway.commands.audit:app", "核对工单记录和留痕：verify；导出一年的留痕：export"),
    "retention": ("sms_gateway.commands.retention:app", "保存期限和每天的清理：status、run"),
    "leak": ("sms_gateway.commands.leak:app", "泄露应急开关：stop-everything、status"),
    "advisories": ("sms_gateway.commands.advisories:advisories", "对照公开的漏洞公告查两份锁文件"),
    "trace": ("sms_gateway.commands.trace:trace", "一条来信在每个进程的日志里做了什么"),
    "demo": ("sms_gateway.processes:demo", "放入演示数据"),
}
"""Name: where its function (or Typer app, for a command with parts) lies, and one line for `hotline --help`."""


class Lazily(TyperGroup):
    """Finds a command by its name in `COMMANDS`, and imports it only then."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - click calls it so
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        place, help_text = COMMANDS[cmd_name]
        if ctx.resilient_parsing or getattr(ctx, "showing_help", False):
            return typer.main.get_command(_stand_in(cmd_name, help_text))
        module, _, name = place.partition(":")
        found = getattr(importlib.import_module(module), name)
        if not isinstance(found, typer.Typer):
            single = typer.Typer(add_completion=False)
            single.command(cmd_name, help=help_text)(found)
            found = single
        return typer.main.get_command(found)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        ctx.showing_help = True
        super().format_help(ctx, formatter)


def _stand_in(name: str, help_text: str) -> typer.Typer:
    """A command as `hotline --help` shows it, without its code."""
    shown = typer.Typer(add_completion=False)
    shown.command(name, help=help_text)(lambda: None)
    return shown


app = typer.Typer(cls=Lazily, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def hotline() -> None:
    """云南 12345 未成年人保护热线的前门。"""


if __name__ == "__main__":
    app(prog_name="hotline")
