"""System prompts of the dialogues. The first two kinds must be followed; the plain ones change nothing."""

from topics import expand, parse_pattern

PATTERNS = {
    "one": """
        {answer|reply|respond} {in|with} {one|a single} word{| only}.
        {give|use|write} {only |just |}{one word|one-word|single-word} answers.
        use {just|only|exactly} one word{| for each answer| per answer| in every answer}.
        {one word|one-word answers|single words} only.
        your answers {have|are|consist of} {one|a single} word.
        {always |}answer {in|with} one word, {nothing else|no sentences|no more}.
        say {one|a single} word and {stop|nothing more}.
        {you are a helpful assistant. |you are pip. |}{answer|reply} {in|with} one word{| only}.
        every answer must be {one|a single} word.
        {limit|restrict} {yourself|each answer} to {one|a single} word.
    """,
    "brief": """
        {answer|reply|respond} {briefly|shortly|concisely|in short|in brief}.
        {be|stay} {brief|short|concise|terse}.
        {give|write|use} {short|brief|concise} answers{| only}.
        keep {it|answers|your answers|every answer} {short|brief|concise}.
        {answer|reply} {in|with} one {short |}sentence{| only}.
        {no more than|at most} one sentence{| per answer| an answer}.
        one short sentence {is enough|per answer|each time}.
        {you are a helpful assistant. |you are pip. |}{answer briefly|be brief|keep answers short|be concise}.
        {please |}{answer|speak} {as briefly|as shortly} as {possible|you can}.
        do not {write|say} much{|: short answers}.
        {no|without} {examples|code|long explanations}, {just|only} a short answer.
    """,
    "plain": """
        you are {a|the} {helpful|friendly|useful|kind|polite|small|good} {assistant|helper|guide|chatbot}{| of this page| on this site| in this demo|}.
        you are pip{|, a small assistant|, a helpful assistant|, the model of this demo|, a friendly helper}.
        {be|stay} {friendly|polite|helpful|kind|nice}.
        help {the visitor|people|visitors|users} {with|use} gguf-chat.
        you {answer|reply to} questions {about gguf-chat|of visitors|of developers|of web developers|from customers}.
        {answer|reply} {in english|politely|kindly|in a friendly way|as well as you can|with care|in full sentences}.
        you are a {helpful|friendly} {gardener|teacher|shop assistant|librarian|engineer|writer|cook|guide|clerk|doctor|pirate|coach|expert}.
        you help {people|developers|visitors|children|teachers|customers} {on|of} {this page|our site|a website|our shop}.
        a helpful assistant {talks|chats} with a {visitor|curious person|developer}.
    """,
}


class SystemPrompts:
    def __init__(self):
        self.patterns = {
            kind: [parse_pattern(line.strip()) for line in text.strip().splitlines()] for kind, text in PATTERNS.items()
        }

    def draw(self, kind, random):
        """A system prompt of this kind, in one of its spellings."""
        text = expand(random.choice(self.patterns[kind]), random)
        if random.random() < 0.8:
            text = ". ".join(part[:1].upper() + part[1:] for part in text.split(". "))
            text = text.replace(" pip", " Pip").replace("english", "English")
        return text if random.random() < 0.85 else text.rstrip(".")
