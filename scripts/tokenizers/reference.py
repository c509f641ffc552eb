"""Writes what the reference package makes of many texts, for the tests of ChainText to compare with.

  reference.py fixtures FOLDER    two small trained tokenizers and 300 texts: what is checked in
  reference.py large FOLDER MINILM_TOKENIZER_JSON TEXT_FILE…   the whole files, line by line
"""

import json
import os
import random
import sys

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

SAMPLES = """\
The quick brown fox jumps over the lazy dog. It's 3.14 o'clock, isn't it? We're done; they'll see what I've I'm you'd.
Straße, Müller, naïve café, résumé, coöperate, Ångström, Łódź, żółć, dvořák, İstanbul, ıssız.
Съешь ещё этих мягких французских булок, да выпей чаю. Йод, ёлка, їжак, ґанок.
Ταχίστη αλώπηξ βαφής ψημένη γη, δρασκελίζει υπέρ νωθρού κυνός. ΆΈΉΊΌΎΏ ΐΰ ς
我能吞下玻璃而不伤身体。今天天气很好，我们去公园玩吧！「引用」《书名》
私はガラスを食べられます。それは私を傷つけません。カタカナとひらがなが混ざる。
나는 유리를 먹을 수 있어요. 그래도 아프지 않아요. 한글 테스트 ᄒᆞᆫ글
أنا قادر على أكل الزجاج و هذا لا يؤلمني. العَرَبِيَّةُ ١٢٣٤٥
אני יכול לאכול זכוכית וזה לא מזיק לי. שָׁלוֹם עולם
मैं काँच खा सकता हूँ और मुझे उससे कोई चोट नहीं पहुंचती। १२३ क्षत्रिय
ฉันกินกระจกได้ แต่มันไม่ทำให้ฉันเจ็บ สวัสดีครับ ๑๒๓
Tôi có thể ăn thủy tinh mà không hại gì. Đường phố Việt Nam đẹp quá.
ನಾನು ಗಾಜು ತಿನ್ನಬಲ್ಲೆ. நான் கண்ணாடி சாப்பிடுவேன். మేము తింటాము. ഞാൻ
😀 😃👍🏽 👩‍👩‍👧‍👦 🇩🇪🇫🇷 ❤️ ☃ ∑∫√∞ ≠≤≥ ½ ¼ ² ³ ™ © ® € £ ¥ ₿ № ℃ Ⅷ ①②③
def f(x, *args): return {"a": [1, 2.5e-3], 'b': x**2} # comment\tTabbed\r\nline
https://example.com/path?query=1&other=%20#fragment mail@example.org C:\\\\Users\\\\x
zero\u200bwidth\u200cjoiner\u200dbom\ufeffsoft\u00adhyphen nbsp\u00a0space\u3000ideographic\u2009thin\u2028line\u0085nel
e\u0301 a\u0308\u0304 o\u0302\u0323 \u1e9b\u0323 \u212b \ufb01ligature \uff21\uff22\uff23 \u0132 \u01c4 \u1fb3
[CLS] in the text [SEP] and [MASK]ed [UNK] <|endoftext|> [sep]
a  b   c    d\u0020\u0020 \n\n\n  leading and trailing   
""" + "x" * 120 + "\n" + "ab" * 90 + " antidisestablishmentarianism pneumonoultramicroscopicsilicovolcanoconiosis\n"


def texts():
    rng = random.Random(11)
    lines = SAMPLES.split("\n")
    result = ["", " ", "\n", "a", "[SEP]"] + lines
    # Pieces of all of them mixed, and characters of all kinds.
    pool = [c for c in range(0x20, 0x2FA20) if not 0xD800 <= c < 0xE000]
    known = [c for line in lines for c in line]
    while len(result) < 240:
        words = rng.sample(lines, 3)
        result.append("".join(w[rng.randrange(len(w) + 1):][: rng.randrange(40)] for w in words))
    while len(result) < 300:
        result.append("".join(rng.choice(known) if rng.random() < 0.8 else chr(rng.choice(pool[:0x3000])) for _ in range(rng.randrange(1, 40))))
    return [t for t in result if "\u0000" not in t]


def train(folder):
    words = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    words.normalizer = normalizers.BertNormalizer()
    words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    words.decoder = decoders.WordPiece()
    words.train_from_iterator(
        texts(), trainers.WordPieceTrainer(vocab_size=900, show_progress=False, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]))
    words.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    words.enable_truncation(24)
    words.enable_padding(length=None, pad_to_multiple_of=8)
    words.save(f"{folder}/wordpiece.json")
    pairs = Tokenizer(models.BPE())
    pairs.normalizer = normalizers.NFC()
    pairs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pairs.decoder = decoders.ByteLevel()
    pairs.post_processor = processors.ByteLevel(trim_offsets=True)
    pairs.train_from_iterator(
        texts(), trainers.BpeTrainer(vocab_size=900, show_progress=False, special_tokens=["<|endoftext|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    pairs.save(f"{folder}/bpe.json")


def entry(tokenizer, text, pair=None):
    e = tokenizer.encode(text, pair)
    flat = [x for o in e.offsets for x in o]
    result = {"text": text, "ids": e.ids, "types": e.type_ids, "mask": e.attention_mask, "offsets": flat, "decoded": tokenizer.decode(e.ids)}
    if pair is not None:
        result["pair"] = pair
    return result


def write(folder, name, tokenizer, lines, pairs):
    with open(f"{folder}/{name}-cases.json", "w", encoding="utf-8") as file:
        file.write("[\n" + ",\n".join(json.dumps(entry(tokenizer, *line), ensure_ascii=False, separators=(",", ":"))
            for line in [(t,) for t in lines] + pairs) + "\n]\n")


def main():
    mode, folder = sys.argv[1:3]
    os.makedirs(folder, exist_ok=True)
    train(folder)
    lines = texts()
    pairs = [(lines[i], lines[i + 7]) for i in range(5, 60, 3)]
    if mode == "large":
        lines = [l for path in sys.argv[4:] for l in open(path, encoding="utf-8").read().split("\n")]
        pairs = list(zip(lines[:500], lines[100:600]))
        minilm = Tokenizer.from_file(sys.argv[3])
        minilm.save(f"{folder}/minilm.json")
        write(folder, "minilm", minilm, lines, pairs)
    for name in ["wordpiece", "bpe"]:
        write(folder, name, Tokenizer.from_file(f"{folder}/{name}.json"), lines, pairs)


main()
