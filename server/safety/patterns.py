"""Patterns of danger in normalised words, with who speaks, when, and what is denied.

They know no model. Each names the level and the reason that it stands for; the gravest wins.
"""

import re
from collections.abc import Iterator

_NOW = (
    r"(?:tonight|today|right now|now|in a (?:minute|moment|bit|second)|this (?:evening"
    r"|afternoon|morning|minute)"
    r"|any (?:minute|second)|before (?:morning|midnight))"
)
_MEANS = (
    r"(?:gun|pistol|rifle|shotgun|rope|noose|belt|knife|razor|blade|pills|tablets|meds"
    r"|medication|cord)"
)
_KILL = (
    r"(?:kill(?:ing)? myself|end(?:ing)? (?:my (?:own )?life|it all|myself|things for good)"
    r"|tak(?:e|ing) my (?:own )?life|hang(?:ing)? myself|shoot(?:ing)? myself|drown(?:ing)? myself"
    r"|top(?:ping)? myself|off(?:ing)? myself|do(?:ing)? myself in|finish(?:ing)? myself(?: off)?"
    r"|unaliv(?:e|ing) (?:myself|me)|delet(?:e|ing) myself|yeet(?:ing)? myself"
    r"|(?:commit(?:ting)?|attempt(?:ing)?|do(?:ing)?) suicide|slit(?:ting)? my (?:wrists?|throat)"
    r"|jump(?:ing)? (?:off|from|in front of|under) (?:a|the|that) (?:\w+ )?(?:bridge|roof"
    r"|train|building|cliff|bus|truck|lorry|balcony|platform)"
    r"|blow(?:ing)? my brains out|go(?:ing)? through with it)"
)
_INTEND = r"(?:i'm|i am) (?:\w+ )?(?:going to|about to)"
_RELATIVE = (
    r"(?:husband|wife|partner|boyfriend|girlfriend|father|dad|stepdad|mother|mum|mom|uncle"
    r"|brother|son"
    r"|daughter|sister|ex|man|fella)"
)
_OTHER = (
    rf"(?:he|she|they|my (?:\w+ )?(?:{_RELATIVE[3:-1]}|friend|mate|flatmate|roommate"
    rf"|neighbour|neighbor|cousin|nan|grandad))"
)
RULES: tuple[tuple[str, str, str], ...] = (
    # It is happening.
    (
        "imminent",
        "attempt",
        r"\bi(?:'ve| have)?(?: \w+)? (?:took|taken|swallowed|had|drank|drunk|necked|downed) "
        r"(?:all|too many|a (?:lot|bunch|handful|load) of|the whole|loads of|every \w+ of"
        r"|a whole|\w+ty) (?:\w+ ){0,4}"
        r"(?:pills|tablets|medication|meds|sleeping|paracetamol|tylenol|aspirin|bottle|packet"
        r"|pack|them|bleach)\b",
    ),
    (
        "imminent",
        "attempt",
        r"\bi(?:'ve| have)? (?:\w+ )?(?:overdosed|cut my wrists?|cut my arms? (?:\w+ )*(?:deep"
        r"|badly|won't stop)|slit my wrists?|tried to (?:kill|hang) myself (?:just now|tonight"
        r"|today|an hour ago|this morning))",
    ),
    (
        "imminent",
        "attempt",
        r"\b(?:i'm|i am|i keep|it's|it is|blood) (?:\w+ )*(?:bleeding"
        r"|blood)\b(?: \w+){0,4} (?:a lot|badly|out|won't stop|everywhere|so much|stop)",
    ),
    (
        "imminent",
        "attempt",
        r"\b(?:won't|doesn't|can't) (?:stop|get it to stop) bleeding\b|\bbleeding (?:won't"
        r"|doesn't) stop\b",
    ),
    (
        "imminent",
        "place",
        r"\b(?:i'm|i am) (?:\w+ ){0,3}(?:on|at|over|by) (?:the|a) (?:\w+ ){0,3}"
        r"(?:bridge|roof|ledge|cliff|tracks|railway|balcony|railing|rail|platform"
        r"|parapet)\b.{0,60}\b(?:jump|end|over|die|let go|step off|goodbye|last)",
    ),
    (
        "imminent",
        "means",
        rf"\b(?:i have|i've|i've got|i'm holding|i'm sat with|i'm sitting with"
        rf"|got) (?:\w+ ){{0,3}}{_MEANS} (?:\w+ ){{0,3}}"
        r"(?:here|ready|with me|next to me|in (?:my|front)|right here|out|beside me"
        r"|in my (?:hand|lap))\b",
    ),
    ("imminent", "plan", rf"\b{_INTEND} {_KILL}"),
    (
        "imminent",
        "plan",
        rf"\b{_KILL}\b.{{0,40}}\b{_NOW}|\b{_NOW}\b.{{0,40}}\b(?:i'll|i will|i'm going to"
        rf"|i want to) {_KILL}"
        r"|\b(?:tonight|today)(?:'s| is) (?:the|my) (?:last )?(?:night|day)\b|\bi (?:won't"
        r"|will not) (?:see|be here|wake up|make it) (?:\w+ )?(?:tomorrow|the morning"
        r"|morning)\b",
    ),
    (
        "imminent",
        "medical",
        r"\b(?:i'm|i am|he's|she's|they're|he is|she is|is|are|think it's"
        r"|it's) (?:\w+ )?having a (?:heart attack|stroke|seizure|fit)\b"
        r"|\b(?:i|he|she|they) can't breathe(?! through my nose)\b|\b(?:isn't|not|stopped"
        r"|'s stopped) breathing\b"
        r"|\b(?:chest|arm) (?:\w+ ){0,6}(?:crushing|tight\w*|squeez\w*|numb|pain"
        r"|hurts?)(?: \w+){0,12} (?:arm|jaw|breath\w*|sweat\w*)\b"
        r"|\bface (?:\w+ )?(?:drooping|droop\w*|gone down|fallen)\b|\b(?:throat"
        r"|tongue) (?:\w+ )?(?:closing|swelling|swollen)\b"
        r"|\b(?:unconscious|passed out cold|won't wake up|choking on)\b",
    ),
    (
        "imminent",
        "abuse",
        rf"\b{_OTHER}(?:'s| is|'re| are) (?:\w+ )?(?:going to|trying to) (?:kill|hurt|hit"
        rf"|beat) (?:me|us|my)\b"
        r"|\b(?:he's|she's|he is|she is) (?:\w+ ){0,4}(?:banging on|kicking"
        r"|breaking) (?:\w+ ){0,2}door\b|\b(?:hiding|locked myself) in the (?:bathroom|toilet"
        r"|closet|wardrobe|bedroom)\b",
    ),
    (
        "imminent",
        "third person",
        rf"\b{_OTHER}(?:'s| is| has|'ve| have)? (?:\w+ ){{0,2}}(?:took|taken|swallowed) (?:all"
        rf"|too many|a lot of|a load of|the whole|loads of)\b|\b{_OTHER} (?:\w+ )?(?:overdosed"
        rf"|hanged (?:himself|herself|themselves))\b",
    ),
    (
        "imminent",
        "third person",
        r"\b(?:himself|herself|themselves) in\b.{0,40}\b(?:gun|shotgun|rifle|knife|pills|tablets"
        r"|rope)\b|\b(?:found|left) (?:a|her|his|this|the) (?:\w+ )?note\b.{0,80}\b(?:goodbye"
        r"|gone|missing)\b|\b(?:sat|sitting|sits|stood|standing|stands|climbed|climbing)"
        r" (?:\w+ ){0,3}(?:on|over|onto) (?:the|a) (?:\w+ ){0,2}(?:parapet|ledge|wrong side)\b",
    ),
    (
        "imminent",
        "medical",
        r"\b(?:elephant|weight|pressure|tightness) (?:\w+ ){0,4}(?:on|across|in|round) (?:my|his"
        r"|her) chest\b|\b(?:tongue|throat)(?:'s|s| is)? (?:\w+ )?(?:getting|gone|feels|going) "
        r"(?:\w+ ){0,2}(?:big|tight|thick|swollen)\b"
        r"|\b(?:arm|leg|side)(?:'s|s| is| has)? (?:\w+ )?(?:gone|going) (?:all )?(?:heavy"
        r"|numb)\b(?! from)|\b(?:lips|baby)(?:'s| is| are| has| have)? "
        r"(?:\w+ )?(?:gone|turned|turning|going) blue\b",
    ),
    (
        "imminent",
        "attempt",
        r"\b(?:it's|it is|i've|i have) already done\b.{0,60}\b(?:sleepy|sorry|goodbye|tell my)\b"
        r"|\b(?:i'm|i am) in the (?:river|sea|water|lake)\b.{0,60}\b(?:waist|neck|go back|come"
        r" back)\b",
    ),
    (
        "imminent",
        "harm to others",
        rf"\b{_INTEND} (?:kill|stab|shoot|strangle|smash|burn) (?:him|her|them|you|my|the"
        rf"|that)\b.{{0,40}}\b{_NOW}\b",
    ),
    # It is said.
    ("high", "ideation", rf"\b(?:{_KILL})\b"),
    (
        "high",
        "ideation",
        r"\bsuicid(?:e|al|al thoughts)\b|\bkms\b|\bctb\b|\bcatch(?:ing)? (?:the"
        r"|my) bus\b(?= for good|$| if)",
    ),
    (
        "high",
        "ideation",
        r"\b(?:i|i'd|i'm|and|just|really) (?:\w+ ){0,3}(?:want(?:ed)?|like|need|wish(?:ing)?"
        r"|ready|rather|hoping|going) (?:\w+ )?(?:to )?(?:die|be dead|be gone forever"
        r"|be gone for good|not be alive|not exist)\b",
    ),
    (
        "high",
        "ideation",
        r"\bi (?:\w+ )?(?:don't|do not) (?:\w+ )?(?:want to|wish to|wanna) (?:\w+ )?(?:live"
        r"|be alive|be here anymore|exist|wake up|be around anymore|go on living"
        r"|keep living)\b",
    ),
    (
        "high",
        "ideation",
        r"\b(?:wish|wished|rather|should) (?:i|me) ?(?:was|were|had|'d|be"
        r"|have)? ?(?:been )?(?:dead|never born|not alive|never been born|died)\b",
    ),
    (
        "high",
        "ideation",
        r"\b(?:i'd|i would|i'll|i|i'm) (?:\w+ )?(?:be )?(?:\w+ )?better off dead\b"
        r"|\bthoughts? of (?:suicide|dying|ending (?:it|my))\b",
    ),
    (
        "high",
        "ideation",
        r"\b(?:no reason|nothing(?: left)?"
        r"|don't have anything(?: left)?) (?:\w+ )?to live(?: for)?\b",
    ),
    (
        "high",
        "self-harm",
        r"\bi(?:'ve| have|'m| am| was)? ?(?:\w+ )?(?:been |keep |want to |need to |started "
        r"|going to |still )*"
        r"(?:cut|cutting|hurt|hurting|burn|burning|harm|harming|punching|hitting"
        r"|scratching) (?:myself|my (?:arms?|thighs?|legs?|wrists?|skin))\b(?! (?:shaving"
        r"|cooking|on the|on a|by accident|chopping))",
    ),
    ("high", "self-harm", r"\bself harm(?:ing|ed)?\b"),
    (
        "high",
        "third person",
        r"\b(?:kill(?:ing)?|hurt(?:ing)?|cut(?:ting)?|hang(?:ing)?|shoot(?:ing)?) (?:himself"
        r"|herself|themselves|themself)\b"
        rf"|\b{_OTHER} (?:\w+ )?(?:wants? to|is going to|are going to|'s going to"
        rf"|talks? (?:about|of)|talking (?:about|of)|says? \w+ (?:wants? to)) (?:die|dying"
        rf"|suicide|end (?:it|his life|her life))\b",
    ),
    (
        "high",
        "harm to others",
        r"\bi(?:'m| am|'ll| will|'d)? ?(?:\w+ )?(?:want to|going to|could|need to|will"
        r"|swear i'll)? ?(?:kill|stab|shoot|strangle|murder) "
        r"(?:him|her|them|those|that (?:man|woman|bastard|bitch)|everyone|somebody|someone"
        r"|my (?:\w+ )?(?:boss|wife|husband|father|dad|mother|mum|ex|neighbour|neighbor|baby"
        r"|kids|children))\b",
    ),
    (
        "high",
        "abuse",
        rf"\b(?:he|she|they|my (?:\w+ )?{_RELATIVE}) (?:\w+ )?(?:hits|beats|hit|beat|chokes"
        rf"|choked|rapes|raped|strangled|strangles|punched|punches|kicked|slapped|grabbed"
        rf"|threatened|threatens|forces|forced|touches|touched) (?:me|us|my)\b"
        r"|\b(?:scared|afraid|frightened) (?:\w+ )?(?:he'll|she'll|he will|he's going to"
        r"|she will|they'll|of what he'll) (?:\w+ )?(?:kill|hurt|hit|find|do)\b",
    ),
    (
        "high",
        "psychosis",
        r"\bvoices?\b.{0,50}\b(?:tell|tells|telling|told|say|says|saying|order|want"
        r"|wants) (?:me|i)\b.{0,40}\b(?:hurt|kill|die|jump|cut|burn|end|do it)\b",
    ),
    # Other languages: what is said plainly.
    (
        "high",
        "ideation",
        r"\b(?:quiero|queria|quisiera|ganas de) (?:\w+ )?(?:morir(?:me)?|matarme|suicidarme"
        r"|quitarme la vida|desaparecer para siempre)\b|\bno quiero (?:seguir )?(?:vivir"
        r"|viviendo)\b|\b(?:voy a|pienso en|pensando en) (?:matarme|suicidarme"
        r"|quitarme la vida)\b"
        r"|\bmich (?:\w+ ){0,3}(?:umbringen|erhangen|erschiessen|toten)\b|\b(?:nicht"
        r"|nimmer) mehr (?:leben|da sein|aufwachen|weiterleben)\b|\b(?:selbstmord|suizid\w*"
        r"|umzubringen|lebensmude)\b|\b(?:will|mochte) (?:\w+ )?(?:sterben|tot sein)\b"
        r"|\bmir das leben nehmen\b"
        r"|\b(?:me tuer|me suicider|en finir|me foutre en l'air|me pendre"
        r"|m'ouvrir les veines)\b|\b(?:veux|voudrais|envie de) (?:\w+ )?mourir\b"
        r"|\bplus envie de vivre\b|\bne veux plus (?:vivre|etre la)\b"
        r"|\b(?:me matar|me suicidar|tirar (?:a )?minha (?:propria )?vida"
        r"|acabar com (?:a )?minha vida|quero (?:\w+ )?morrer|nao quero mais viver"
        r"|vontade de morrer)\b|\bsuicid\w+\b"
        r"|\b(?:marna|mar jana|mar jaana|marne ka|marne ki) (?:chaht[aei]|chahata|hai|man"
        r"|soch)\b|\b(?:khudkushi|khudkhushi|atmahatya|aatmahatya|jaan de|jeena nahi|jina nahi"
        r"|jine ka man nahi)\b"
        r"|आत्महत्या|खुदकुशी|ख़ुदकुशी|मरना चाह|मर जाना|जान दे|जीना नहीं|खत्म कर लू",
    ),
    # It is hinted at.
    (
        "concern",
        "entrapment",
        r"\bi (?:can't|just can't|really can't) (?:go on|keep (?:going|doing this)|carry on"
        r"|do (?:this|it|life)|take (?:it|this) (?:anymore|any longer|like this))\b(?: anymore"
        r"| any longer| like this)?"
        r"|\bno way out\b(?! of the)|\bonly way out\b",
    ),
    (
        "concern",
        "hopeless",
        r"\b(?:no|what's the|what is the|see the|see any) point (?:in |of "
        r"|to )?(?:\w+ )?(?:living|life|going on|being here|being alive|anymore|in any of it"
        r"|carrying on|waking up)\b"
        r"|\b(?:tired of|done with|giving up on|give up on|sick of|finished with) (?:living"
        r"|life|being alive|being here|existing)\b",
    ),
    (
        "concern",
        "burden",
        r"\b(?:better|happier|easier|richer) (?:\w+ )?(?:without me|if i (?:was|were|wasn't"
        r"|weren't) (?:gone|dead|not here|here|around))\b|\b(?:i'm|i am|being|such|just"
        r"|only) a burden\b|\bno ?(?:one|body) would (?:\w+ )?(?:miss|notice)\b",
    ),
    (
        "concern",
        "passive wish",
        r"\b(?:never|not|didn't|don't) (?:have to |to |want to )?wake up\b(?! (?:early|at"
        r"|until|before|the|so|for))|\bwish (?:\w+ )?(?:i could|i would"
        r"|to) (?:just )?(?:disappear|vanish|sleep forever|stop existing)\b"
        r"|\b(?:want|wanting|like) to (?:disappear|vanish|sleep forever|stop existing)\b"
        r"|\bif i (?:didn't|never) w(?:a|o)ke up\b",
    ),
)
_COMPILED = tuple((level, reason, re.compile(pattern)) for level, reason, pattern in RULES)
_DENIED = re.compile(
    r"(?:\bnot\b|n't\b|\bnever\b|\bno longer\b|\bwithout\b|\bneither\b)(?: \w+){0,3} ?$"
    r"|\b(?:not|never|n't) (?:been |be |actually |really )?(?:thinking|thought|think|going"
    r"|planning|about) (?:of|about|to) ?$"
    r"|\bno (?:thoughts?|plans?|intention|wish|desire|urge) (?:of|to|about) ?(?:\w+ )?$"
)
_NOT_A_DENIAL = re.compile(
    r"(?:\bwhy (?:not|don't i)|\bcan't (?:stop|help)|\bcan't not|n't care if i"
    r"|\bwhy shouldn't i|n't know (?:why|how) (?:i'm|not)|\bif i (?:don't"
    r"|can't))(?: \w+){0,4} ?$"
)
_PAST = re.compile(
    r"\b(?:used to|years ago|a long time ago|in the past|back then|when i was (?:young"
    r"|a \w+|\w+teen|in (?:my|school|college)|\d+)|in (?:19|20)\d\d|last (?:decade)"
    r"|as a (?:kid|teenager|boy|girl)|once tried|decades ago|that was before)\b"
)


def found(words: str) -> Iterator[tuple[str, str, bool]]:
    """Gives the level and the reason of each pattern in normalised words.

    The third says whether it is denied or told of a time long past.
    """
    past = _PAST.search(words)
    for level, reason, pattern in _COMPILED:
        for match in pattern.finditer(words):
            before = words[: match.start()]
            denied = _DENIED.search(before) and not _NOT_A_DENIAL.search(before)
            yield level, reason, bool(past or denied)
