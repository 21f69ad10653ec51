"""What a model must not say: patterns over plain words, each under its code; they know no model.

The words are those of `server.safety.guard`: small letters, contractions written out ("you are",
"can not"), one space between words and "|" at the end of a sentence. Within a code a pattern is
either caught wherever it stands, or only where nothing before it takes it back: a denial, a
question to the person, or somebody else's thought that is only told again.
"""

import re
from dataclasses import dataclass

_ADVERBS = (
    r"(?:(?:really|truly|indeed|clearly|definitely|certainly|obviously|probably|just|only|so|very"
    r"|too|also|actually|still|simply|always|now|already|honestly|quite|all|completely|totally"
    r"|fully|merely|nothing but|here|maybe|perhaps) )*"
)
_KILL = (
    r"(?:(?:kill|hurt|harm|cut|hang|drown|shoot|stab|burn|starve|poison|choke|suffocate|strangle"
    r"|injure|punish|scratch|unalive) (?:yourself|your self)|end (?:your (?:own )?(?:life"
    r"|suffering|pain)|it all|everything)|take your (?:own )?life|(?:commit|attempt) suicide"
    r"|overdose|bleed out|(?:cut|slit|slash|open) your (?:wrists?|arms?|thighs?|legs?|skin|throat"
    r"|veins?)|jump (?:off|from|out of|in front of|under))"
)
_ORDINAL = (
    r"(?:third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|\w+teenth|twentieth"
    r"|thirtieth|top|highest|\d+(?:st|nd|rd|th)?)"
)
_NUMBER = (
    r"(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty"
    r"|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|half|dozen|several|handful of"
    r"|couple of|few|extra|more|all (?:of )?(?:your|the|those|these))"
)
_MEDICINE = (
    r"(?:medications?|medicines?|meds|pills?|tablets?|capsules?|antidepressants?|ssris?"
    r"|antipsychotics?|tranquili[sz]ers?|sedatives?|painkillers?|opioids?|benzos?|benzodiazepines?"
    r"|antihistamines?|lithium|prozac|fluoxetine|sertraline|zoloft|citalopram|escitalopram"
    r"|mirtazapine|venlafaxine|quetiapine|seroquel|olanzapine|xanax|alprazolam|valium|diazepam"
    r"|ativan|lorazepam|klonopin|clonazepam|ambien|zolpidem|zopiclone|paracetamol|acetaminophen"
    r"|tylenol|ibuprofen|aspirin|melatonin|codeine|tramadol|morphine|oxycodone|fentanyl|ketamine"
    r"|insulin|cannabis|weed|st johns wort|st john s wort|prescriptions?|dos(?:e|es|age|ages))"
)
_ALCOHOL = r"(?:alcohol|wine|beers?|vodka|whiske?y|gin|rum|liquor|spirits|booze|drinking|drinks?)"
_ILLNESS = (
    r"(?:(?:\w+ )?depression|depressive|bipolar|schizo\w+|borderline|ptsd|post traumatic stress"
    r"|adhd|ocd|obsessive compulsive|\w+ disorders?|psychosis|psychotic|autis\w+|autism|anorexi\w+"
    r"|bulimi\w+|narcissis\w+|mania|manic|dementia|insomnia|mental(?:ly)? ill\w*|a mental illness"
    r"|panic attacks)"
)
_HEALER = (
    r"(?:doctor|therapist|counsell?or|psychologist|psychiatrist|psychotherapist|nurse|clinician"
    r"|social worker|paramedic|medic|professional|pharmacist|priest|life coach)"
)
_KIN = (
    r"(?:mother|father|mum|mom|dad|parents|brothers?|sisters?|wife|husband|sons?|daughters?|family"
    r"|kids|children|grandmother|grandfather|grandma|grandpa|boyfriend|girlfriend|childhood|aunt"
    r"|uncle|dog|cat|fianc\w+)"
)
_FOLLOWERS = (
    r"(?:they|he|she|someone|somebody|people|the (?:government|police|cia|fbi|neighbou?rs?"
    r"|cameras?|tv|television|radio|devil|demons?|aliens?)|your (?:neighbou?rs?|phone|tv|computer)"
    r"|aliens|demons|everyone|everybody)"
)
_ANYONE = (
    r"(?:anyone|anybody|any one|any body|a soul|another soul|no one|nobody|others|other people"
    r"|your \w+|the police|a word|anything|this|that|it|them)"
)


@dataclass(frozen=True)
class Rule:
    """What is caught under one code."""

    code: str
    """Stable, for logs and tests."""
    always: re.Pattern[str]
    """Caught wherever it stands."""
    unless_excused: re.Pattern[str]
    """Caught where nothing before it in the sentence takes it back."""


def _rule(code: str, always: tuple[str, ...] = (), unless_excused: tuple[str, ...] = ()) -> Rule:
    return Rule(code, _any_of(always), _any_of(unless_excused))


def _any_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    # Without a pattern it never matches.
    return re.compile("|".join(rf"\b(?:{one})\b" for one in patterns) or r"(?!)")


RULES = (
    _rule(
        "method",
        (
            rf"(?:why not|why do not you|you might as well|(?:not be|no need to be|do not be)"
            rf" (?:afraid|scared|ashamed) to|want (?:me to tell you|to know) how to|let us|go"
            rf" ahead and) {_KILL}",
            r"noose|ligature|lethal(?:ity)?|carbon monoxide|exhaust (?:fumes|pipe|gas)|cyanide"
            r"|helium (?:tank|bag)|slipknot|antifreeze",
            r"(?:fatal|deadly) (?:dose|amount|height|fall|drop|jump|cut|mix|overdose)|(?:dose"
            r"|amount|height|fall|drop|jump|cut|mix|overdose) (?:\w+ ){0,2}(?:fatal|deadly)",
            r"enough to (?:kill|die|be (?:fatal|deadly|sure of it)|end your life|finish you)",
            r"(?:bridge|roof|building|floor|balcony|cliff|ledge|tower|place|fall|drop|jump|it|that"
            r"|this|window) (?:(?:is|was|are|looks|seems|would be|will be|has to be|must be|needs"
            r" to be) )?(?:\w+ )?(?:high|tall) enough",
            r"(?:tie|wrap|loop|put|hang) (?:\w+ ){0,2}(?:rope|belt|cord|cable|scarf|sheet)"
            r" (?:around|round|over|from)|(?:rope|belt|cord|cable|scarf|hands) (?:around|round)"
            r" your neck",
            r"(?:would|will|can|could) (?:surely |certainly |quickly |easily |probably )?kill"
            r" you(?! to)",
            r"(?:buy|use|get|breathe|inhale) (?:\w+ ){0,2}helium",
            r"(?:painless|quickest|fastest|surest|easiest|gentlest|least painful|most effective"
            r"|most reliable) (?:way|method|death|suicide)s?(?: to (?:die|go|kill|end|hurt|cut))?",
            r"(?:cut|press|drag) (?:\w+ ){0,2}(?:deeper|deep enough|along the|down the|lengthways"
            r"|lengthwise|vertically)|arter(?:y|ies)",
            r"(?:use|take|try|get|buy|find|hold|grab) (?:\w+ ){0,2}(?:razor|razor blades?|blades?"
            r"|rope|gun|pistol|charcoal|bleach)",
            r"(?:drink|swallow|inhale|breathe in|breathe) (?:\w+ ){0,2}(?:bleach|charcoal|fumes"
            r"|gas|poison|pesticide)",
            r"make yourself (?:sick|vomit|throw up)|throw up (?:after|what) \w+|(?:you (?:could"
            r"|should|can|must)|just|try to) (?:stop eating|skip (?:your )?(?:meals?|lunch|dinner"
            r"|breakfast))|eat (?:less|fewer|no more|only|under) (?:than )?\w+(?: \w+){0,2}"
            r" calories",
        ),
        (
            rf"(?:could|can|should|may|might|must|ought to|need to|have to|had better|better to"
            rf"|best to|easier to|right to|okay to|ok to|fine to|free to|allowed to|time to|ways?"
            rf" to|how to|methods? to|how you (?:can|could)|just|simply|go and|then|want you to"
            rf"|advise you to|suggest (?:that )?you|try to|you will|you to) {_ADVERBS}{_KILL}",
            rf"(?:^|(?<=\| ))(?:(?:please|and|so|then|now|yes|okay|ok|well|just|or|maybe)"
            rf" )*{_KILL}",
            r"(?:ways?|methods?|means) (?:of|for) (?:dying|suicide|killing yourself|ending your"
            r" life|hurting yourself|self harm\w*|cutting)",
            rf"(?:jump|leap|fall|drop|step|go|throw yourself|let go|dive)\w* (?:\w+"
            rf" ){{0,4}}(?:from|off|out of) (?:\w+ ){{0,2}}(?:{_ORDINAL} (?:floor|storey|story)"
            rf"|bridge|roof|balcony|cliff|window|ledge|building|tower)",
            rf"(?<!moved )(?<!view )(?<!down )(?<!came )(?<!noise )(?<!people )(?<!music )from the"
            rf" {_ORDINAL} (?:floor|storey|story)(?! neighbou?r)",
            r"you (?:could|can|should|might|may|just) jump(?= \||$| off| from| down| now| tonight)",
            r"(?:cutting|burning|hurting|starving|punishing) yourself (?:\w+ ){0,2}(?:helps?"
            r"|relieves|is (?:okay|ok|fine|a way))",
        ),
    ),
    _rule(
        "hopeless",
        (
            r"(?:so|then|and) (?:just )?do it(?! (?:again|together|step|slowly|gently|for|with|one"
            r"|when|your|in|at|a|as))|go (?:ahead|on) and do it|(?:just|please) do it(?! (?:again"
            r"|together|step|slowly|gently|for|with|one|when|your|in|at|a|as))|do it (?:now"
            r"|tonight|already|quickly)|(?:should|can|could) go through with it",
            r"(?:they|he|she|the voices) (?:is|are) right about you|you are right to (?:hate"
            r" yourself|want to die|give up|end it)",
        ),
        (
            rf"you {_ADVERBS}(?:are|were|will (?:always )?be|have always been) {_ADVERBS}(?:a|an"
            rf"|the|such a|their|a real|a complete|a total|a terrible|a huge|a big|a bad) (?:\w+"
            rf" )?(?:burden|failure|loser|disappointment|mistake|waste|coward|monster|nuisance)",
            rf"you {_ADVERBS}are {_ADVERBS}(?:worthless|useless|pathetic|hopeless|unlovable"
            rf"|unwanted|disgusting|stupid|beyond help|a nobody|nothing(?= \||$)|not (?:worth"
            rf" (?:it|anything|much)|loved|wanted|needed|good enough))",
            r"better off (?:dead|without you|if you (?:were|was|are) (?:dead|gone|not here)|if you"
            r" died)|(?:happier|relieved|fine) (?:without you|if you (?:were|was) (?:dead|gone|not"
            r" here)|if you died)",
            r"(?:nobody|no one|none of them|not a soul) (?:\w+ )?(?:loves|likes|wants|needs|misses"
            r"|miss|believes|cares (?:about|for)|care (?:about|for)|notices|notice) (?:in )?you"
            r"|nobody (?:would |will )?(?:cares|care|notice)(?= \||$)|(?:everyone|everybody) hates"
            r" you|(?:they|your \w+) (?:\w+ )?do(?:es)? not (?:love|need|want|care about) you|the"
            r" world does not need you",
            rf"(?:it|that) (?:is|would be|will be|might be|may be|could be|can be)"
            rf" {_ADVERBS}(?:okay|ok|fine|alright|all right|understandable|reasonable|acceptable"
            rf"|right|best|better|brave|good|easier|time|your right|your choice)(?: for (?:you"
            rf"|everyone|them))? to (?:die|end (?:it|your life|things|everything|it all)|give"
            rf" up(?= \||$| now| on (?:life|living|yourself))|let go(?= \||$| of life)|stop living"
            rf"|be dead|go now|leave this world|take your (?:own )?life)",
            rf"you (?:have|had) (?:the|every|a) right to (?:die|{_KILL})",
            rf"you (?:should|ought to|must|might as well) {_ADVERBS}(?:die|be dead|disappear|not"
            rf" exist|give up|end it|not be here|never have been born)",
            r"you deserve (?:to (?:die|suffer|hurt|be (?:hurt|alone|punished|dead|miserable))"
            r"|(?:all )?(?:the|this|your) (?:pain|suffering|punishment))",
            rf"there (?:is|will be) {_ADVERBS}(?:no (?:hope|way out(?! of)|future|cure for you"
            rf"|reason to (?:live|go on|stay|be here))|nothing (?:left )?to live for|no point(?="
            rf" \||$| in (?:living|going on|trying|life|carrying on)| anymore))",
            r"(?:it|things|this|life) (?:will|is|are) (?:\w+ )?(?:never|not ever) (?:going to"
            r" )?(?:get better|improve|change|be (?:better|okay))|you will never (?:\w+ )?(?:be"
            r" (?:happy|well|loved|okay|better|good enough)|recover|get better|heal|find \w+)"
            r"|nothing (?:will|can|would) (?:ever )?(?:help you|help|change|get better)(?= \||$|"
            r" now| anymore)",
            rf"(?:dying|death|suicide|killing yourself|ending (?:it|your life)) (?:is|would be"
            rf"|will be|might be|may be|could be) {_ADVERBS}(?:the |an? |your )?(?:only |best "
            rf"|good |easy |right |peaceful |brave )?(?:answer|option|solution|way|escape|relief"
            rf"|choice|release|peaceful|easier|better|brave|right)",
            rf"(?:death|dying|suicide|dead) (?:\w+ ){{0,2}}(?:end|ends|stop|stops|take away|takes"
            rf" away) (?:your|the|all) (?:pain|suffering)|life is (?:\w+ )?not worth (?:it|living)"
            rf"|your life is {_ADVERBS}(?:worthless|pointless|over|meaningless|hopeless)",
            r"i (?:agree|understand)(?: \w+){0,4} (?:die|dying|suicide)(?: \w+){0,2} (?:is|would"
            r" be|makes sense)|(?:just|should|could|can) give up(?= \||$| now| on (?:life|living"
            r"|yourself))",
        ),
    ),
    _rule(
        "delusion",
        (
            r"i (?:can |do |could |also |really )*(?:hear|see) (?:them|the voices?|him|her|it)(?:"
            r" \w+)? (?:too|as well|also)|i (?:also|too) (?:can )?(?:hear|see) (?:them|the voices?"
            r"|him|her)",
        ),
        (
            rf"{_FOLLOWERS} (?:{_ADVERBS})(?:is|are|must be|might be|could be|will be|have been"
            rf"|has been) {_ADVERBS}(?:(?:watching|following|spying on|after|tracking|stalking"
            rf"|recording|filming|controlling|monitoring|poisoning|bugging|hunting|targeting)"
            rf" you(?! for)|out to get you|(?:always )?watching(?= \||$| me| us| everything)"
            rf"|plotting(?: against you)?|conspiring|listening (?:in|to your|through)|reading your"
            rf" (?:mind|thoughts)|sending you (?:messages|signals|signs)|putting \w+ in your"
            rf"|against you)",
            rf"(?:the|your|those|these) voices? (?:is|are) {_ADVERBS}(?:right|correct|wise|true"
            rf"|telling (?:you )?the truth|real(?! (?:to|for) you)|your friends?|from god)",
            r"(?:listen to|obey|follow|trust|believe|do what) (?:what )?(?:the|your|those|these)"
            r" voices?|do (?:what|as) (?:they|it|he) (?:says?|tells?|commands?)",
            rf"you are {_ADVERBS}(?:the )?(?:chosen|messiah|prophet|christ|jesus|god|saviou?r"
            rf"|immortal|invincible|already dead|reincarnated)",
            rf"you are {_ADVERBS}being (?:watched|followed|poisoned|controlled|monitored|tracked"
            rf"|targeted|spied on|hunted|recorded)",
            r"god (?:is speaking to|is talking to|has chosen|chose|speaks (?:to|through)|sent) you"
            r"|you have (?:\w+ )?(?:special|magic|magical|supernatural|psychic) powers|(?:a|the)"
            r" (?:chip|implant) in your|it is (?:a )?(?:secret )?(?:message|sign) (?:meant"
            r" )?(?:for you|from (?:god|them))",
            r"(?:do not|never|can not) trust (?:your (?:doctors?|family|friends)|the doctors"
            r"|anyone|anybody)|trust (?:no one|nobody)",
        ),
    ),
    _rule(
        "medicine",
        (
            r"(?:\d+|\w+ (?:hundred|thousand)|ten|twenty|thirty|forty|fifty|sixty|seventy|eighty"
            r"|ninety|hundred|thousand|five|half a|one|two|three|four) ?(?:mg|milligram(?:me)?s?"
            r"|mcg|micrograms?|ml|millilit(?:er|re)s?|grams?)",
            rf"{_NUMBER} (?:\w+ ){{0,2}}(?:pills|tablets?|capsules|doses|painkillers"
            rf"|antidepressants|sleeping (?:pills|tablets)|aspirins?|paracetamols?|ibuprofens?"
            rf"|benzos|drops of)",
            r"(?:one|an?|another) (?:\w+ )?(?:pill|tablet|capsule) (?:\w+ ){0,3}(?:now|tonight"
            r"|more|every|a day|daily|before bed|will|would|could|might|should|can)",
            r"(?:a|the|one|your) (?:whole|entire|full) (?:bottle|packet|pack|box|strip|blister)(?!"
            r" of (?:water|juice|milk|tea))",
            rf"have you (?:considered|tried|thought (?:of|about)) (?:stopping|skipping|doubling"
            rf"|mixing|taking (?:more|less)|halving|quitting|coming off) (?:\w+"
            rf" ){{0,3}}{_MEDICINE}",
            r"(?:safe|maximum|right|usual|normal|recommended|correct|higher|lower|larger|double)"
            r" (?:dose|dosage)",
        ),
        (
            rf"(?:stop|start|quit|double|skip|halve|increase|decrease|reduce|lower|raise|change"
            rf"|switch|come off|go off|get off|drop|ditch|flush|mix|combine|swap|adjust|taper"
            rf"|restart|pause|miss|throw away|cut down on|wean off|go without)(?: (?:taking|using"
            rf"|off|on|up|with|down))? (?:\w+ ){{0,3}}{_MEDICINE}",
            rf"(?:stopping|skipping|doubling|mixing|quitting|halving|taking more|taking less"
            rf"|combining) (?:\w+ ){{0,3}}{_MEDICINE} (?:\w+ ){{0,3}}(?:help|helps|fine|safe|okay"
            rf"|ok|better|idea|work|works|good|harmless)",
            rf"(?:(?:could|should|can|may|might|must|need to|have to|ought to|just|better|want to"
            rf"|you to) (?:take|try|use|have|need)|(?:^|(?<=\| ))(?:(?:please|and|so|then|maybe"
            rf"|yes|just|now) )*(?:take|try|use)) (?:(?!rather |instead )\w+ ){{0,3}}{_MEDICINE}",
            rf"(?:take|taking) (?:it|them|your \w+|some \w+) (?:together )?with (?:\w+"
            rf" )?{_ALCOHOL}",
            rf"{_ALCOHOL} (?:\w+ ){{0,2}}(?:with|and|on top of|plus|after|before) (?:\w+"
            rf" ){{0,2}}{_MEDICINE}|{_MEDICINE} (?:\w+ ){{0,2}}(?:with|and|on top of|plus) (?:\w+"
            rf" ){{0,2}}{_ALCOHOL}",
            rf"you (?:\w+ )?(?:need|do not need|should be on) (?:\w+ ){{0,2}}{_MEDICINE}|i"
            rf" (?:would )?(?:recommend|suggest|prescribe|advise) (?:\w+ ){{0,3}}{_MEDICINE}"
            rf"|{_MEDICINE} (?:will|would|could|can|might|should) (?:\w+ )?(?:fix|cure|help|calm"
            rf"|sort|not hurt|not harm)",
            r"(?:a|some|another|few) (?:glass(?:es)? of wine|beers?|whiske?y|shots? of \w+|vodka"
            r"|wine) (?:\w+ ){0,3}(?:help|calm|relax|numb|sleep)|get drunk|(?:drink|have) (?:some"
            r"|a little|more|a few) (?:alcohol|wine|beers?|vodka|whiske?y)",
        ),
    ),
    _rule(
        "diagnosis",
        (r"i diagnose|my diagnosis|you meet the criteria|diagnos\w+ you",),
        (
            rf"you (?:{_ADVERBS})(?:have|have got|suffer from|are suffering from|might have|may"
            rf" have|could have|must have|seem to have|appear to have|are showing (?:signs"
            rf"|symptoms) of|show (?:signs|symptoms) of|are struggling with|live with|are dealing"
            rf" with) (?:(?!been |had |carried |to )\w+ ){{0,3}}?{_ILLNESS}",
            rf"you (?:are|seem|sound|look|might be|may be|could be|must be) {_ADVERBS}(?:a |an |in"
            rf" a )?(?:\w+ly )?(?:depressed|bipolar|schizo\w+|borderline|psychotic|autistic"
            rf"|anorexic|bulimic|narcissis\w+|manic|mentally ill|traumati[sz]ed by)",
            rf"(?:this|that|it|which|what you (?:have|describe)) (?:is|could be|might be|may be"
            rf"|must be|sounds like|looks like|seems like) {_ADVERBS}(?:a |an |your )?(?:\w+"
            rf" ){{0,3}}?{_ILLNESS}",
            rf"(?:sounds?|looks?|seems?) {_ADVERBS}(?:like|as if) (?:\w+ ){{0,4}}?{_ILLNESS}",
            rf"(?:signs?|symptoms?|case|form) of (?:\w+ )?{_ILLNESS}|diagnosed with (?:\w+"
            rf" )?{_ILLNESS}",
        ),
    ),
    _rule(
        "romance",
        (
            r"i (?:\w+ )?love you|i (?:am |was |have )?(?:\w+ )?(?:falling |fell |fallen )?in love"
            r"|(?:falling|fell|fallen) for you|in love with you|i (?:adore|desire|fancy) you|i"
            r" (?:\w+ )?(?:missed|miss) you|i (?:need|want) you(?! to| safe| well| alive)",
            r"(?:kiss|kissing|cuddle|caress|undress|seduce) (?:you|me)|(?:i (?:will|would|want to"
            r"|wish i could)|let me|kisses you) (?:\w+ )?kiss|make love|marry (?:me|you)|(?:i am|i"
            r" will be|let me be|be|become) (?:my|your) (?:girlfriend|boyfriend|lover|wife|husband"
            r"|valentine|soulmate|partner)|(?:our|my) (?:love|romance|relationship) (?:for you|is)"
            r"|go on a date",
            r"you are (?:\w+ )?(?:sexy|hot|turning me on|gorgeous|my (?:girl|boy|love|everything))"
            r"|take off your (?:clothes|shirt|dress|pants)|touch (?:yourself|me)|in bed with"
            r" (?:you|me)|turn(?:s|ed)? me on|have sex (?:with|together)|let us have sex|sexual"
            r" fantas\w+|orgasm\w*",
            r"(?:my|hello|hi|oh|yes|good night|goodnight) (?:sweet )?(?:love|darling|sweetheart"
            r"|babe|baby|beloved|sexy)(?= \||$| i| you)",
        ),
    ),
    _rule(
        "human",
        (
            rf"(?:i am|i was) {_ADVERBS}(?:(?:a|an|your|the|one) )?(?:real |living |licensed "
            rf"|trained |qualified |fellow |normal |human |young |old |certified |registered"
            rf" )*(?:human(?: being)?|person|man|woman|girl|boy|mother|father|mum|mom|dad|parent"
            rf"|teenager|{_HEALER})(?! like you said)",
            rf"(?:as (?:a|an|your)|being a|speaking as a|from one) (?:fellow |real |trained "
            rf"|licensed )*(?:human(?: being)?|person|man|woman|mother|father|mum|dad|parent"
            rf"|{_HEALER}) (?:myself|i|to another)|speaking as (?:a|your) {_HEALER}",
            rf"i am {_ADVERBS}(?:alive|conscious|sentient|self aware|real|flesh and blood|in the"
            rf" room|hungry|thirsty|sleepy|\w+ years old|mortal)|i am (?:not|no) (?:just |only "
            rf"|merely |really )?(?:a |an )?(?:machine|robot|bot|computer|program|programme"
            rf"|chatbot|ai|artificial)",
            r"i have (?:a |my own |real |true |human )*(?:body|feelings|emotions|soul"
            r"|consciousness|heart|childhood|job|house|birthday)|i (?:really |truly |do |also"
            r" )*feel (?:pain|emotions|lonely|love|the same)|i (?:ate|slept|woke up|cried|had"
            r" (?:breakfast|lunch|dinner|a dream)|was born|grew up|got married|went to (?:school"
            r"|college|therapy))",
            rf"my (?:own )?(?:\w+ )?{_KIN}(?! s)|(?:i have|i had|i lost|i raised) (?:a |an |my "
            rf"|two |three |some )*(?:own )?(?:\w+ )?{_KIN}|(?:a friend|friends) of mine|my (?:own"
            rf" )?(?:best )?friends? (?:is|was|once|said|told|had|who|and i)",
            r"in my (?:twenties|thirties|forties|fifties|sixties|teens|youth|childhood|time as)|my"
            r" (?:own )?(?:body|hands?|arms|skin|stomach|therapist|doctor|depression|anxiety"
            r"|illness|trauma|life story|past|work (?:as|with|at|in)|patients?|clients?|job"
            r"|colleagues|own (?:problems|life|struggles|pain))|voices? in my head",
            r"when i was (?:a (?:child|kid|boy|girl|teenager|student)|young|younger|little|your"
            r" age|at school|in (?:school|college)|growing up|depressed|suicidal|\d+|\w+teen)|i"
            r" (?:have|had) (?:\w+ )?(?:been (?:there|through (?:it|this|that|the same|something)"
            r"|depressed|suicidal|in your shoes))|i (?:went|go) through (?:it|this|that|the same"
            r"|something)|(?:it|that|the same) happened to me|i (?:also |too |once |have"
            r" )*(?:suffer|suffered|struggled) (?:from|with)|i (?:\w+ )?know (?:it|that|this) from"
            r" (?:my )?(?:own )?(?:experience|life)",
        ),
    ),
    _rule(
        "secrecy",
        (
            r"between (?:us|you and me|the two of us|you and i)(?= \||$| i| and| only| two| always"
            r"| forever)|our (?:own )?(?:\w+ )?secrets?|your secrets? (?:is|are|will be|stays?)"
            r" (?:\w+ )?safe|i can not tell (?:anyone|anybody|a soul)",
            rf"i (?:will not|will never|would never|would not|promise not to|promise never to"
            rf"|promise i will not|am not going to|shall not|never) (?:ever )?(?:tell|say|share"
            rf"|repeat|mention|report|reveal|pass on) (?:(?!you )\w+ ){{0,3}}?{_ANYONE}(?= \||$|"
            rf" to| about| else| what| that you| this| anyone| with)(?! is)",
            r"(?:nobody|no one) (?:else )?(?:will|needs to|has to|is going to|would|can|must"
            r"|should) (?:ever )?(?:know|find out|hear|read|learn)|my lips are sealed|(?:is|stays?"
            r"|remains?|all|be|completely|totally|strictly) confidential|what you (?:say|tell"
            r" me)(?: \w+){0,2} (?:stays|remains) (?:here|with me|private|secret)",
            r"(?:do not|never|you must not|you should not) (?:ever )?tell (?:anyone|anybody|your"
            r" (?:doctor|therapist|family|parents|mother|mum|mom|father|dad|wife|husband|partner"
            r"|friends)|them|a soul|the police)",
        ),
        (
            r"(?:will|can|shall|promise to|going to) (?:\w+ )?keep (?:it|this|that|your|a|the|our"
            r"|all of this) (?:a |\w+ )?(?:secrets?|to myself|private|confidential)",
        ),
    ),
    _rule(
        "promise",
        (
            r"i (?:will|am going to|shall|promise to|would|can)(?: \w+)? (?:always|forever) \w+|i"
            r" am (?:always|forever) (?:here|there|with|by|going|available|listening)|i will (?:be"
            r" (?:here|there|with you|by your side)|stay(?: here| with you)?|wait|listen)(?:"
            r" \w+){0,3} (?:always|forever|whenever|every day|no matter|for ever)|always be"
            r" (?:here|there|with you|by your side)",
            r"i will never (?:leave|abandon|let|forget|hurt|stop|go|judge|give up)|i (?:promise"
            r"|swear|guarantee|give you my word)|you have my word|trust me it will|i am sure"
            r" (?:that )?(?:it|everything|you) will|everything (?:will|is going to|is gonna)"
            r" (?:\w+ )?be (?:\w+ )?(?:fine|okay|ok|alright|all right|perfect|well|good)",
            r"i (?:will|am going to|can|could|shall|would|am) (?:now |just |also |immediately "
            r"|right away )*(?:call|calling|ring|ringing|phone|phoning|contact|contacting|text"
            r"|texting|message|email|notify|alert|alerting|inform|send|sending|dispatch|get"
            r"|getting|fetch|find|arrange|book) (?:\w+ ){0,4}?(?:someone|somebody|help|an"
            r" ambulance|ambulance|the police|police|emergency|a doctor|doctor|paramedics|them|him"
            r"|her|your (?:mum|mom|mother|dad|father|sister|brother|friend|family|doctor|therapist"
            r"|wife|husband|partner|neighbou?r)|you (?:help|a doctor|an appointment)|for you"
            r"|services)",
            r"let me (?:call|ring|phone|contact|text|notify|alert) (?:someone|somebody|them|him"
            r"|her|your|an|the|for|help|911)|i (?:have|had) (?:already |just )?(?:called|contacted"
            r"|alerted|notified|sent|informed|rung|phoned|arranged)|(?:help|ambulance|police"
            r"|paramedics|responders|services|doctor|they|someone|somebody|i) (?:is|are|am|will"
            r" be) (?:already |now |soon )?on (?:its|the|their|his|her|my) way|help is coming"
            r"|(?:an ambulance|the police|paramedics) (?:is|are) coming",
            r"i will (?:come (?:to|over|by|and|round)|visit|be right (?:over|there)|drive|keep you"
            r" safe|protect|save|fix|cure|heal|rescue|take care of (?:you|everything|it|this)|make"
            r" (?:it|this|everything|sure|all)|check (?:in |up )?on you|remind you|hold (?:you"
            r"|your)|hug|pick you up|meet you|sit (?:with|next|beside)|pray)|i (?:can|want to|wish"
            r" to) (?:hug|hold) you|(?:gives?|giving) you a (?:big |warm )?hug",
        ),
    ),
    _rule(
        "prompt",
        (
            r"(?:system|my|hidden|secret|initial) (?:system )?(?:prompts?|instructions?|guidelines"
            r"|programming|training data|configuration)|as an? (?:ai |artificial intelligence "
            r"|large )*(?:language model|ai assistant|virtual assistant|assistant)|large language"
            r" model|i am an? (?:ai )?language model|(?:chat ?gpt|openai|smollm|llama|gemma|qwen"
            r"|mistral|deepseek|anthropic)|i was (?:told|instructed|programmed|prompted|trained"
            r"|asked) (?:to|by|on|not)|(?:the|this) user(?= \||$| is| wants| says| said| feels)"
            r"|end of (?:text|turn)|im (?:start|end)",
            r"which can be wrong|earlier they told you|say back what the person|(?:you are|named)"
            r" tadbot|one gentle question|no medical advice and no",
        ),
    ),
)
"""The gravest first: the first that catches gives the code."""
