"""Free words for "no more of these texts", told from everything that only sounds like it. Pure.

Only a whole text counts: one wish or more, with nothing beside it but sighs and courtesies. So "他让我别发短信", "不要发给我爸" and
"退订也没用他还是打我" are no wish to the line, whatever words they hold. Nobody else's phone is opted out by text:
"别再给我妈发了" may be a child that fears what its mother will read.
"""

from __future__ import annotations

import re

LONGEST = 40
"""Characters of such a text without blanks and signs; a longer one is a story."""

_NOT = "(?:别|不要|不用|不必|不需要|莫|请勿|勿|不准|不许|不得|不能|甭|嫑|不消|停止|禁止|拒绝|麻烦不要)"
_MORE = "(?:再|在|继续|老是?|总是?|一直|天天|每天|乱|随便|来)"
_SEND = "(?:发送|群发|推送|发|推|传|来(?=短信|信息|消息))"
_ME = "(?:(?:我们家|我们?|我家|咱们?|俺|本人|老子|这个?(?:手机|号码?|电话)|我的?(?:手机号?|号码?|电话)|这里|这边)(?:上|里)?)"
_TO_ME = f"(?:(?:给|向|跟|往|对|朝){_ME})"
_ABOUT = (
    "(?:这|那|些|种|个|类|条|样|此|类似|什么|任何|啥|哪样|你们?|政府|官方|所有|全部|的|一些|无聊|没用|垃圾|宣传|广告|推销|骚扰|群发|诈骗|通知|政策|"
    "公益|推广|营销|促销|手机|孩子|儿童|未成年人?|热线|12345|鬼|破)"
)
_THING = f"(?:(?:(?:这|那)(?:些|种|个|类)[^他她爸妈打]{{1,5}})?{_ABOUT}*(?:短信息?|信息|消息|讯息|短讯|东西|宣传|广告|通知|内容|推送|玩意儿?|骚扰))"
_SENDING = f"{_NOT}{_MORE}*{_TO_ME}?{_MORE}*{_SEND}了?(?:{_THING}|(?:这|那)(?:些|种)[^他她爸妈打照]{{1,5}}的)?(?:给{_ME}|到{_ME}|过来|来)?"
_GETTING = (
    f"{_ME}?(?:也|都|真的?|实在|根本)*(?:不想|不要|不愿意?|不需要|不希望|拒绝|懒得|不再|不用|不接受|不)(?:再|在|继续|老)*"
    f"(?:(?:收到?|接收|接到|接受|看到?|看见)(?:你们?发?的)?{_THING}|收到|接收)"
)
_NO_USE = f"(?:(?:不需要|不想要|用不着|不要){_THING}|{_THING}我?们?(?:都)?(?:不需要|不想要|用不着))"
_ASK = "(?:怎么|如何|咋个?|怎样|哪里)(?:才能|可以|能|才)?"
_ENDING = (
    f"(?:{_ASK}|我?(?:要|想|申请))?(?:取消|退订|退定|退掉?|关闭|关掉|停掉?|停止|屏蔽|终止|解除|撤销|拒收|拒绝|注销)(?:对?我的?|你们的?|这个|一下|掉)*"
    f"(?:订阅|订购|服务|短信服务|业务|接收|推送|{_THING})"
)
_OFF_THE_LIST = (
    "(?:把|将)我(?:的?(?:手机号码?|手机|号码?|电话号码?|电话|名字))?(?:给)?(?:从(?:你们)?的?(?:名单|系统|库)(?:里面?|上|中)?)?(?:给)?"
    "(?:删掉?|删除|去掉|移除|移出|划掉|取消|注销|拉黑|剔除)(?:掉|名单)?"
)
_WORD = (
    "(?:(?:我)?(?:要|想|申请|回|发)?t?(?:退订|退定)(?:掉|12345|回?td?)?|(?:回复?)?td(?:退订|12345)?|stop(?:12345|all)?|unsubscribe|停发|拒收|"
    "stop(?:sending|texting)(?:me|it|this)?)"
    f"|把{_THING}(?:给我)?(?:停|关|取消|退)(?:掉|了)?|{_ASK}(?:退订|取消订阅|取消|不再收)"
)
_PLAIN_WISH = "|".join(
    (
        _SENDING,
        f"{_THING}(?:就|都|也)?{_NOT}{_MORE}*{_TO_ME}?{_SEND}(?:给{_ME}|到{_ME}|过来|来)?",
        _GETTING,
        _NO_USE,
        _ENDING,
        _OFF_THE_LIST,
        _WORD,
    )
)
_ROUGH_WISH = (
    f"{_NOT}{_MORE}*(?:通知|提醒)(?:我们?|本人|老子)|(?:我)?不想再?被(?:短信|信息|广告|你们)+(?:骚扰|打扰)|(?:我)?不想再?被打扰|退(?:掉|了)|"
    "(?:别|不要|莫|请勿|少)(?:再|来|继续|总是?|老是?)*(?:骚扰|烦|打扰|打搅|吵)(?:我们?|人|老子|别人)?(?:老人家?|一家人?|家)?|"
    f"再(?:给我|敢)?(?:发|骚扰){_THING}?(?:过来|来|一次|一条)?(?:我|就|要|可|直接)*(?:投诉|举报|拉黑|屏蔽|起诉|告)(?:你们?)?|"
    "取消|停|不收|不要发|退|拒绝接收|no|停掉|删除|屏蔽|(?:请)?勿扰|免打扰|取关|nomore|退出(?:群发)?|不订|removeme"
)
_SIGH = (
    "(?:你好|您好|喂|麻烦你?们?|请问|请你?们?|拜托你?们?|求求你?们?|求你们?|你们?|能不能|可不可以|可以|以后|今后|往后|都|烦死个?人?|太烦|烦人|烦|"
    "讨厌死?|够了|有完没完|垃圾短信|骚扰短信|垃圾|骚扰|(?:天天|老是?|一天到晚|整天|又|成天|半夜三更|半夜|大晚上)(?:都)?(?:在)?(?:发(?:短信)?)?|发什么(?:发|短信)|发(?:这种|这些)?短信(?:干嘛|干什么|做什么)|发个(?:屁|毛线?|鬼|啥|锤子)|谁让你们发|没完没了|(?:已经)?(?:收到|知道)了?|好|都?说过?了|行了|滚(?:蛋|开|远点)?|(?:短信|信息)(?:太|这么)?多|有病|神经病|"
    "(?:我|我家|家里)*(?:没有?|没得|莫得)(?:小孩子?|孩子|娃儿?|娃娃)|(?:我)?(?:用不着|不需要|没兴趣|不感兴趣)|没用|没结婚|单身|多谢|"
    "哎|唉|看不懂|烦不烦|不看|不回|帮我|帮忙|给我|(?:你们)?发错人?|我说|已经|(?:手机|内存|信箱|收件箱|短信)(?:都|快|要)*(?:满|爆)|(?:短信|话)费?(?:太|很|好)?贵|从(?:今天|明天|现在|今后|此)(?:起|开始)|这个(?:号码?|手机|电话)|又是你们?|打扰|还发|怎么还(?:在)?发|为什么还(?:在)?发|真(?:是)?|"
    "了|吧|啊|呀|呢|哦|嘛|哈|噢|噶|嘎|啦|咯|咧|撒|哇|的|好吗|好不好|好不|行吗|行不行|可以吗|一下|快点|马上|立刻|吗|么|谢|我|就)"
)
_PLAIN = re.compile(f"{_SIGH}*(?:(?:{_PLAIN_WISH}){_SIGH}*)+")
_ANY = re.compile(f"{_SIGH}*(?:(?:{_PLAIN_WISH}|{_ROUGH_WISH}){_SIGH}*)+")
_NAMES_OUTREACH = re.compile(
    "宣传|广告|推销|群发|垃圾|推广|营销|促销|订阅|退订|退定|推送|unsubscribe|名单|(?:这|那)(?:种|些|类|样的)(?:短信|信息|消息|通知)|此类"
)
_ASKS_HOW_IT_WENT = re.compile("(?:退订|订阅)(?:也|都|了?还|不了|不掉|没用)")


def wants_no_more(words: str, *, answers_outreach: bool) -> bool:
    """Whether `words` (`commands.squeezed`) only ask for no more outreach. Never raises.

    `answers_outreach`: the last thing this phone got from us is outreach, and nothing else is being talked about. Otherwise only
    words that name outreach count: "别发" in a talk means that somebody is near.
    """
    if not words or len(words) > LONGEST:
        return False
    if answers_outreach:
        return _ANY.fullmatch(words) is not None
    return _NAMES_OUTREACH.search(words) is not None and _PLAIN.fullmatch(words) is not None


def speaks_of_opting_out(words: str) -> bool:
    """Whether a word for opting out stands there only as a thing that is told of ("退订也没用")."""
    return _ASKS_HOW_IT_WENT.search(words) is not None
