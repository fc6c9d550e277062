"""What can go wrong here, as short sentences that know their status code and whether trying again helps."""

from __future__ import annotations


class HotlineError(Exception):
    """Base of all our errors. `sentence` is Chinese, for people; it never holds a text, a number or a name."""

    status_code = 500
    retryable = False
    sentence = "系统出了点问题，请稍后再试。"

    def __init__(self, sentence: str | None = None) -> None:
        self.sentence = sentence or self.sentence
        super().__init__(type(self).__name__)


class NotFound(HotlineError):
    status_code = 404
    sentence = "没有找到。"


class Conflict(HotlineError):
    """Somebody else was quicker."""

    status_code = 409
    sentence = "刚刚有人动过，请刷新后再看。"


class BadInput(HotlineError):
    status_code = 422
    sentence = "填写的内容不对，请检查后再试。"


class DatabaseIsAway(HotlineError):
    """Nothing was stored: whoever brought it is told to try again."""

    status_code = 503
    retryable = True
    sentence = "系统暂时存不了，请稍后再送一次。"
