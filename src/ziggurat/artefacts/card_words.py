"""The sentences and labels of the model card, in English and in Chinese."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["CHINESE", "ENGLISH", "Purpose", "Words"]


@dataclass(frozen=True)
class Purpose:
    """What a card says of a model for what the model gives: text, or vectors of words."""

    opening: str
    """``{family}``, and ``{made}`` for how it came about."""
    measured: str
    not_measured: str
    limits: tuple[str, ...]
    lossy: str
    """A limit more, where the tokenizer is lossy; empty where that makes no difference."""


@dataclass(frozen=True)
class Words:
    """Everything that a card says in one language, but for the figures."""

    title_ending: str
    use: str
    elsewhere: str
    model: str
    training: str
    limits_title: str
    made: Mapping[str, str]
    """How a model came about, by the training fact that tells it; by ``""`` where it was trained from its beginning."""
    purposes: Mapping[str, Purpose]
    """By what the model gives, as the manifest says it."""
    heads: tuple[str, str, str]
    labels: Mapping[str, str]
    """By manifest entry; for a measured quantity by the last part of its entry."""

    def label(self, entry: str) -> str:
        """Return what a manifest entry is called; a measured quantity also says what it was measured on."""
        if entry.startswith("metrics."):
            _, name, quantity = entry.split(".", 2)
            return f"{self.labels[quantity]} ({name})"
        return self.labels[entry]


ENGLISH = Words(
    title_ending="",
    use="Use",
    elsewhere="transformers opens it as it is",
    model="Model",
    training="Training",
    limits_title="Limits",
    made={
        "": "made with Ziggurat {version}",
        "imported_from": "made by other software and opened from `{source}` with Ziggurat {version}",
        "merged": "made with Ziggurat {version} by merging the adapter `{adapter}` into `{source}`",
        "start": "trained further with Ziggurat {version} from the weights of `{source}`",
    },
    purposes={
        "text": Purpose(
            opening=(
                "A language model of the family `{family}`, {made}. "
                "Each figure below stands in `ziggurat.json` under the entry named beside it."
            ),
            measured="Measured on text that it was not trained on",
            not_measured="Nothing yet: `ziggurat evaluate FOLDER TEXT…` measures it.",
            limits=(
                "It knows what its training text says, in that text's language and manner, "
                "errors and prejudices included.",
                "What it writes is likely, not true; nothing checks its claims.",
                "It may repeat passages of its training text word for word: keep it where that text may be read.",
                "Bits per byte compare across tokenizers; "
                "perplexities only where the tokenizer's fingerprint is the same.",
            ),
            lossy="Its tokenizer is lossy: all words that it does not know are one token, so it has no bits per byte.",
        ),
        "translations": Purpose(
            opening=(
                "A model of the family `{family}` that writes a target for each source, {made}. "
                "Each figure below stands in `ziggurat.json` under the entry named beside it."
            ),
            measured="Measured on pairs that it was not trained on: targets, given their sources",
            not_measured="Nothing yet: `ziggurat evaluate FOLDER PAIRS…` measures it.",
            limits=(
                "It knows what its training pairs show, errors and prejudices included; a source of another kind or "
                "length than those is answered at random.",
                "What it writes may be fluent and wrong: names, numbers and negations need a reader who knows both "
                "sides.",
                "Bits per byte are those of the target given its source: they compare on the same pairs only.",
            ),
            lossy="Its tokenizer is lossy: all words that it does not know are one token, so it has no bits per byte.",
        ),
        "labels": Purpose(
            opening=(
                "A classifier of the family `{family}`, {made}: it says which label a text has. "
                "Each figure below stands in `ziggurat.json` under the entry named beside it."
            ),
            measured="Measured on texts that it was not trained on",
            not_measured="Nothing yet: `ziggurat task classification evaluate FOLDER LABELLED…` measures it.",
            limits=(
                "It knows what its training texts and the labels that people gave them show, errors and prejudices "
                "included: measure these before it decides about people.",
                "It always says one of its labels, also of a text that fits none, or is in another language.",
                "How sure it is was brought into line on texts like those it learnt from; on others it may be surer "
                "than it is right.",
            ),
            lossy="",
        ),
        "tags": Purpose(
            opening=(
                "A tagger of the family `{family}`, {made}: it finds names or other stretches of words in sentences. "
                "Each figure below stands in `ziggurat.json` under the entry named beside it."
            ),
            measured="Measured on sentences that it was not trained on",
            not_measured="Nothing yet: `ziggurat task ner evaluate FOLDER LABELLED…` measures it.",
            limits=(
                "It knows what its training sentences and the labels that people gave them show, errors and prejudices "
                "included: names of other places and times are found less often.",
                "It expects sentences cut into words as its training sentences were.",
            ),
            lossy="",
        ),
        "roles": Purpose(
            opening=(
                "A tagger of the family `{family}`, {made}: it finds the predicates of sentences and says who did what "
                "to whom. Each figure below stands in `ziggurat.json` under the entry named beside it."
            ),
            measured="Measured on sentences that it was not trained on",
            not_measured="Nothing yet: `ziggurat task roles evaluate FOLDER LABELLED…` measures it.",
            limits=(
                "It knows what its training sentences and the roles that people gave them show: roles of predicates "
                "that it never saw are told by the sentence around them, and are wrong more often.",
                "It expects sentences cut into words as its training sentences were; senses of predicates it does not "
                "tell.",
            ),
            lossy="",
        ),
        "word vectors": Purpose(
            opening=(
                "Word vectors of the family `{family}`, {made}. "
                "Each figure below stands in `ziggurat.json` under the entry named beside it."
            ),
            measured="Measured",
            not_measured="Nothing yet: `ziggurat vectors evaluate FOLDER --record …` measures it.",
            limits=(
                "They know which words keep like company in the training text, prejudices included: measure these "
                "before vectors decide about people.",
                "Like company is not like meaning: opposites such as hot and cold lie close together.",
                "A word has one vector for all its meanings, and that of a rare word is uncertain.",
                "Cosines compare within these vectors only: another training turns all directions.",
            ),
            lossy="",
        ),
        "text vectors": Purpose(
            opening=(
                "An encoder of the family `{family}`, {made}: it gives vectors of texts and of "
                "their tokens. Each figure below stands in `ziggurat.json` under the entry named beside it."
            ),
            measured="Measured on text that it was not trained on",
            not_measured="Nothing yet: `ziggurat evaluate FOLDER TEXT…` measures it, where it guesses hidden tokens.",
            limits=(
                "It knows what its training text says, in that text's language and manner, "
                "errors and prejudices included.",
                "It writes no text and has no perplexity: what it gives a text is a pseudo-log-likelihood, "
                "which compares with that of encoders with the same tokenizer only.",
                "Vectors of whole texts were not trained to be alike where meanings are, unless the card says so.",
                "Accuracies compare only where the tokenizer's fingerprint is the same.",
            ),
            lossy="",
        ),
    },
    heads=("what", "value", "manifest entry"),
    labels={
        "family": "family",
        "model.parameters": "numbers that the model is made of",
        "model.context": "longest context, in tokens",
        "model.width": "numbers in a vector",
        "tokenizer.kind": "tokenizer",
        "tokenizer.vocabulary": "vocabulary",
        "seed": "seed",
        "training.imported_from": "file or folder that it was opened from",
        "corpus.splits.train.documents": "documents trained on",
        "corpus.splits.train.bytes": "bytes trained on",
        "corpus.splits.dev.bytes": "bytes held out to tune on",
        "corpus.splits.test.bytes": "bytes held out to measure on",
        "corpus.near_duplicates_across_splits": "near duplicates across splits",
        "training.steps": "steps",
        "training.tokens": "tokens trained on",
        "training.seconds": "seconds of training",
        "training.words_per_second": "words read per second",
        "training.dev_loss": "loss on the text held out to tune on, in nats",
        "bits_per_byte": "bits per byte",
        "low": "its 95 % interval, low end",
        "high": "its 95 % interval, high end",
        "token_perplexity": "perplexity per token",
        "masked_accuracy": "share of hidden tokens guessed rightly",
        "baseline_accuracy": "the same by always guessing the most frequent token",
        "masked_loss": "loss on hidden tokens, in nats",
        "masked_tokens": "tokens hidden, 15 % together",
        "pseudo_perplexity": "pseudo-perplexity",
        "pseudo_tokens": "tokens hidden one by one for it",
        "documents": "documents",
        "bytes": "bytes of text",
        "tokens_per_second": "tokens scored per second",
        "accuracy": "share of analogies solved",
        "label_accuracy": "share of texts labelled rightly",
        "execution_match": "share of queries with the right answer",
        "execution_match_low": "share of queries with the right answer, lower end of the 95 % interval",
        "execution_match_high": "share of queries with the right answer, upper end of the 95 % interval",
        "query_match": "share of queries written as the right ones",
        "query_match_low": "share of queries written as the right ones, lower end of the 95 % interval",
        "query_match_high": "share of queries written as the right ones, upper end of the 95 % interval",
        "bleu": "BLEU",
        "bleu_low": "BLEU, lower end of the 95 % interval",
        "bleu_high": "BLEU, upper end of the 95 % interval",
        "chrf": "chrF",
        "exact_match": "share of texts written exactly",
        "exact_match_low": "the same, lower end of the 95 % interval",
        "exact_match_high": "the same, upper end of the 95 % interval",
        "macro_f1": "F1, mean over labels",
        "span_f1": "F1 of whole stretches, type and both ends right",
        "argument_f1": "F1 of arguments, their predicate given: role and both ends right",
        "argument_f1_found": "the same where predicates were to be found first",
        "calibration_error": "expected calibration error",
        "temperature": "temperature that brings confidence into line",
        "examples": "texts with labels",
        "semantic": "of those about meaning",
        "syntactic": "of those about grammar",
        "questions": "analogies asked",
        "questions_skipped": "analogies with unknown words, not asked",
        "method": "how analogies were solved",
        "spearman": "rank correlation with people's scores of word pairs",
        "spearman_of_all": "the same with unknown pairs as unlike",
        "pairs": "pairs of words asked",
        "pairs_skipped": "pairs with unknown words, not asked",
        "pairs_left_out": "pairs whose source is longer than the context, left out",
        "words_spelled": "unknown words spelled by their character n-grams",
        "vocabulary": "most frequent words asked about",
    },
)

CHINESE = Words(
    title_ending="（中文）",
    use="使用",
    elsewhere="可直接用 transformers 打开",
    model="模型",
    training="训练",
    limits_title="局限",
    made={
        "": "由 Ziggurat {version} 训练的",
        "imported_from": "由其他软件制作、Ziggurat {version} 从 `{source}` 打开并另存的",
        "merged": "由 Ziggurat {version} 将适配器 `{adapter}` 合并到 `{source}` 而成的",
        "start": "由 Ziggurat {version} 从 `{source}` 的权重继续训练的",
    },
    purposes={
        "text": Purpose(
            opening=("{made} `{family}` 族语言模型。下列每个数字都可在 `ziggurat.json` 的对应条目中查到。"),
            measured="在未参与训练的文本上的测量结果",
            not_measured="尚未测量：请运行 `ziggurat evaluate FOLDER TEXT…`。",
            limits=(
                "它只知道训练文本所说的内容，语言与风格亦然，包括其中的错误与偏见。",
                "它写出的是可能的文字，而非事实；没有任何机制核查其说法。",
                "它可能逐字复述训练文本：请只在该文本可以公开之处使用。",
                "每字节比特数可跨分词器比较；困惑度仅在分词器指纹相同时可比。",
            ),
            lossy="分词器有损：所有未知词都记为同一词元，因此没有每字节比特数。",
        ),
        "translations": Purpose(
            opening=(
                "{made} `{family}` 族模型，为每个源文本写出目标文本。"
                "下面每个数字都在 `ziggurat.json` 中旁边所列的条目下。"
            ),
            measured="在未用于训练的文本对上测得：给定源文本时的目标文本",
            not_measured="尚无：用 `ziggurat evaluate FOLDER PAIRS…` 测量。",
            limits=(
                "它只知道训练文本对所展示的内容，包括其中的错误与偏见；遇到种类或长度不同的源文本，输出是任意的。",
                "它写出的内容可能通顺却有误：名称、数字和否定需要懂得两边文本的人来核对。",
                "每字节比特数是给定源文本时目标文本的，只能在相同的文本对上比较。",
            ),
            lossy="它的分词器有损：所有不认识的词都是同一个词元，因此没有每字节比特数。",
        ),
        "labels": Purpose(
            opening=(
                "{made} `{family}` 族分类器：说出一段文本属于哪个标签。"
                "下列每个数字都可在 `ziggurat.json` 的对应条目中查到。"
            ),
            measured="在未参与训练的文本上的测量结果",
            not_measured="尚未测量：请运行 `ziggurat task classification evaluate FOLDER LABELLED…`。",
            limits=(
                "它只知道训练文本和人们给它们的标签所展示的内容，包括其中的错误与偏见：用于与人有关的决定之前，请先测量。",
                "它总会说出自己的某个标签，即使文本与哪个都不符，或是另一种语言。",
                "它的把握程度是在与训练文本相似的文本上校准的；在别的文本上，把握可能高于正确率。",
            ),
            lossy="",
        ),
        "tags": Purpose(
            opening=(
                "{made} `{family}` 族标注器：在句子中找出名称或其他词段。"
                "下列每个数字都可在 `ziggurat.json` 的对应条目中查到。"
            ),
            measured="在未参与训练的句子上的测量结果",
            not_measured="尚未测量：请运行 `ziggurat task ner evaluate FOLDER LABELLED…`。",
            limits=(
                "它只知道训练句子和人们给它们的标签所展示的内容，包括其中的错误与偏见：别处、别时的名称较少被找到。",
                "它要求句子的切词方式与训练句子相同。",
            ),
            lossy="",
        ),
        "roles": Purpose(
            opening=(
                "{made} `{family}` 族标注器：找出句子的谓词，并说出谁对谁做了什么。"
                "下列每个数字都可在 `ziggurat.json` 的对应条目中查到。"
            ),
            measured="在未参与训练的句子上的测量结果",
            not_measured="尚未测量：请运行 `ziggurat task roles evaluate FOLDER LABELLED…`。",
            limits=(
                "它只知道训练句子和人们标注的角色所展示的内容：没见过的谓词，只能凭句子推断其角色，错误较多。",
                "它要求句子的切词方式与训练句子相同，且不区分谓词的义项。",
            ),
            lossy="",
        ),
        "word vectors": Purpose(
            opening=("{made} `{family}` 族词向量。下列每个数字都可在 `ziggurat.json` 的对应条目中查到。"),
            measured="测量结果",
            not_measured="尚未测量：请运行 `ziggurat vectors evaluate FOLDER --record …`。",
            limits=(
                "它只知道训练文本中哪些词的上下文相似，其中的偏见亦在内：用于与人有关的决定之前，请先测量偏见。",
                "上下文相似不等于意义相同：冷与热这样的反义词也会靠得很近。",
                "一个词的所有意义共用一个向量；罕见词的向量不可靠。",
                "余弦值只能在这一组向量之内比较：重新训练会改变所有方向。",
            ),
            lossy="",
        ),
        "text vectors": Purpose(
            opening=(
                "{made} `{family}` 族编码器：给出文本及其词元的向量。"
                "下列每个数字都可在 `ziggurat.json` 的对应条目中查到。"
            ),
            measured="在未参与训练的文本上的测量结果",
            not_measured="尚未测量：若它能猜出被遮蔽的词元，请运行 `ziggurat evaluate FOLDER TEXT…`。",
            limits=(
                "它只知道训练文本所说的内容，语言与风格亦然，包括其中的错误与偏见。",
                "它不写文本，也没有困惑度：它给文本的是伪对数似然，只能与使用同一分词器的编码器比较。",
                "除非卡片另有说明，整篇文本的向量并未为“意义相近则向量相近”而训练。",
                "准确率仅在分词器指纹相同时可比。",
            ),
            lossy="",
        ),
    },
    heads=("项目", "值", "清单条目"),
    labels={
        "family": "模型族",
        "model.parameters": "模型中的数值个数",
        "model.context": "最长上下文（词元）",
        "model.width": "每个向量的维数",
        "tokenizer.kind": "分词器",
        "tokenizer.vocabulary": "词表大小",
        "seed": "随机种子",
        "training.imported_from": "原文件或文件夹",
        "corpus.splits.train.documents": "训练文档数",
        "corpus.splits.train.bytes": "训练字节数",
        "corpus.splits.dev.bytes": "用于调参的保留字节数",
        "corpus.splits.test.bytes": "用于测量的保留字节数",
        "corpus.near_duplicates_across_splits": "跨划分的近似重复数",
        "training.steps": "训练步数",
        "training.tokens": "训练所用词元数",
        "training.seconds": "训练秒数",
        "training.words_per_second": "每秒读词数",
        "training.dev_loss": "在用于调参的保留文本上的损失（奈特）",
        "bits_per_byte": "每字节比特数",
        "low": "其 95% 区间下端",
        "high": "其 95% 区间上端",
        "token_perplexity": "每词元困惑度",
        "masked_accuracy": "猜对的被遮蔽词元比例",
        "baseline_accuracy": "总猜最常见词元时的同一比例",
        "masked_loss": "被遮蔽词元上的损失（奈特）",
        "masked_tokens": "被遮蔽的词元数（一次遮蔽 15%）",
        "pseudo_perplexity": "伪困惑度",
        "pseudo_tokens": "为此逐个遮蔽的词元数",
        "documents": "文档数",
        "bytes": "文本字节数",
        "tokens_per_second": "每秒评分词元数",
        "accuracy": "类比题正确率",
        "label_accuracy": "标签正确的文本比例",
        "execution_match": "执行结果正确的查询比例",
        "execution_match_low": "执行结果正确的查询比例，95 % 区间下限",
        "execution_match_high": "执行结果正确的查询比例，95 % 区间上限",
        "query_match": "写法与正确查询一致的比例",
        "query_match_low": "写法与正确查询一致的比例，95 % 区间下限",
        "query_match_high": "写法与正确查询一致的比例，95 % 区间上限",
        "bleu": "BLEU 分数",
        "bleu_low": "BLEU，95 % 区间下限",
        "bleu_high": "BLEU，95 % 区间上限",
        "chrf": "chrF 分数",
        "exact_match": "完全一致的文本比例",
        "exact_match_low": "同上，95 % 区间下限",
        "exact_match_high": "同上，95 % 区间上限",
        "macro_f1": "各标签 F1 的平均",
        "span_f1": "整段的 F1：类型与两端都正确",
        "argument_f1": "给定谓词时论元的 F1：角色与两端都正确",
        "argument_f1_found": "同上，但谓词须先自行找出",
        "calibration_error": "期望校准误差",
        "temperature": "校准把握程度的温度",
        "examples": "有标签的文本数",
        "semantic": "其中语义题",
        "syntactic": "其中语法题",
        "questions": "已问类比题数",
        "questions_skipped": "含未知词而未问的类比题数",
        "method": "类比题解法",
        "spearman": "与人对词对打分的等级相关",
        "spearman_of_all": "同上，未知词对记为不相似",
        "pairs": "已问词对数",
        "pairs_skipped": "含未知词而未问的词对数",
        "pairs_left_out": "源文本超出上下文长度而略去的文本对数",
        "words_spelled": "由字符 n 元组拼出向量的未知词数",
        "vocabulary": "所用最常见词数",
    },
)
