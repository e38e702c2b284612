"""Sentences in Chinese: what is done with a model."""

__all__ = ["SENTENCES"]

SENTENCES = {
    # evaluate
    "Measure a bundle on text it has not seen: bits per byte with its interval": (
        "在模型未见过的文本上测量：每字节比特数及其区间"
    ),
    "Measure bits per byte (95 % bootstrap interval over documents), token perplexity, speed and size.": (
        "测量每字节比特数（按文档自助抽样的 95% 区间）、词元困惑度、速度与大小。"
    ),
    "Each document is scored from its begin token, its end included; long ones by a rolling window. Perplexities "
    "compare only where the tokenizer's fingerprint is the same, bits per byte always.": (
        "每篇文档从起始词元开始评分，包括结尾；长文档用滑动窗口。困惑度仅在分词器指纹相同时可比，每字节比特数总是可比。"
    ),
    "Name under which the figures go into the bundle's manifest and card": "以此名称将数字写入模型包的清单和模型卡",
    "Bits per byte above which the command ends with exit code 3": "每字节比特数高于此值时以退出码 3 结束",
    "Never cut long documents into blocks where there are few": "即使文档很少也不把长文档切成段块",
    "Seed of the bootstrap": "自助抽样的随机种子",
    # generate
    "Write on after a prompt with any bundle, token by token": "用任一模型包接着提示逐词元续写",
    "Write on after a prompt; text appears as it is drawn, one continuation after another, --- between them.": (
        "接着提示续写；文本随抽样出现，多个续写依次输出，以 --- 分隔。"
    ),
    "softmax(·/T): below 1 safer, above 1 bolder, 0 always the likeliest": (
        "softmax(·/T)：小于 1 更稳，大于 1 更大胆，0 总取最可能者"
    ),
    "Choose among the k likeliest only; 0 among all": "只在最可能的 k 个中选；0 为全部",
    "Choose among the likeliest that together have this probability": "只在累计概率达到此值的最可能者中选",
    "Leave out what is less likely than this part of the likeliest": "排除概率低于最可能者这一比例的词元",
    "Above 1 makes what was already said less likely": "大于 1 时降低已出现词元的概率",
    "Most tokens to write": "最多写多少词元",
    "Continuations of each prompt": "每个提示的续写数",
    "Strings that end a continuation and are not part of it": "遇到即停止且不输出的字符串",
    "Text to go on from, or the source of what is written; - reads it from standard input": (
        "要续写的文本，或所写内容的源文本；- 表示从标准输入读取"
    ),
    "Seed of the draws: the same seed writes the same text": "抽样的随机种子：相同种子写出相同文本",
    "Leave the prompt out of what is printed": "输出中不含提示",
    # translate
    "Translate files line by line with a bundle that reads pairs, by beam search": (
        "用读文本对的模型包以束搜索逐行翻译文件"
    ),
    "Print the target of each line, in the order of the lines; an empty line stays empty.": (
        "按行的顺序输出每行的译文；空行保持为空。"
    ),
    "Files are read and targets written bit by bit, so that they may be larger than memory.": (
        "文件边读边译边写，因此可以大于内存。"
    ),
    "Hypotheses that are followed at once; 1 takes the likeliest token each time": (
        "同时保留的候选数；1 表示每次取最可能的词元"
    ),
    "α: 0 compares log-probabilities as they are, more favours the long": "α：0 直接比较对数概率，越大越偏向长译文",
    "Most tokens to write, the end included": "最多写多少词元，含结尾",
    "Most tokens to write for each token of the source, and 20 more": "源文每个词元最多写多少词元，另加 20 个",
    "File for the targets instead of standard output": "译文写入此文件而非标准输出",
    "{count} lines translated": "已翻译 {count} 行",
    "{count} targets reached the limit of tokens and may lack their end": "{count} 条译文达到词元上限，可能缺少结尾",
    "beside their sources, {short} targets are less than a third as long as is usual here, and {long} more "
    "than three times: look at them": (
        "与源文相比，{short} 条译文不到此处通常长度的三分之一，{long} 条超过三倍：请查看"
    ),
    # encoders
    "Turn texts into vectors, one for each": "把文本变成向量，每篇一个",
    "Print a line of JSON for each text: its id and its vector.": "每篇文本输出一行 JSON：其标识与向量。",
    "Vectors are made as the bundle says, which an imported sentence-transformers model knows, or as you ask for. Of a "
    "text longer than what the model reads only the beginning counts, and that is said.": (
        "向量按模型包所说的方式得出（导入的 sentence-transformers 模型知道），或按你的要求。"
        "文本长于模型所能读时只计其开头，并会告知。"
    ),
    "Mean of the tokens' vectors, first token's, or the pooler's; auto: what the bundle says": (
        "mean 为各词元向量的平均，first 为首词元的向量，pooler 为池化层的向量；auto 按模型包所说"
    ),
    "Bring vectors to length one; auto: what the bundle says": "使向量长度为一；auto 按模型包所说",
    "Tokens of a text that are read, begin and end included (default: what the bundle says)": (
        "每篇文本读取的词元数，含起止词元（默认按模型包所说）"
    ),
    "File for the vectors instead of standard output: .npy (rows only) or .jsonl": (
        "向量写入此文件而非标准输出：.npy（只有各行）或 .jsonl"
    ),
    "{cut} texts are longer than {longest} tokens: only their beginnings count": (
        "{cut} 篇文本长于 {longest} 个词元：只计其开头"
    ),
    "{count} vectors of {width} numbers": "{count} 个 {width} 维向量",
    "An encoder gives pseudo-log-likelihoods: each token alone is hidden and guessed from all others.": (
        "编码器给出伪对数似然：每次只遮蔽一个词元，由其余词元猜出。"
    ),
    "pseudo-log-likelihood: {total:.2f} nats over {tokens} tokens, {mean:.4f} a token": (
        "伪对数似然：{tokens} 个词元共 {total:.2f} 奈特，每个 {mean:.4f}"
    ),
    "Of an encoder, which has neither, how many hidden tokens it guesses is shown beside the most frequent's "
    "share.": "编码器两者皆无，改为显示它猜对多少被遮蔽的词元，并与最常见词元的比例对照。",
    "masked accuracy": "遮蔽准确率",
    "most frequent token of the training text": "训练文本中最常见的词元",
    "most frequent token of this text": "此文本中最常见的词元",
    "masked loss, nats a hidden token": "遮蔽损失（每个被遮蔽词元的奈特）",
    "hidden tokens": "被遮蔽的词元",
    "pseudo-perplexity": "伪困惑度",
    "tokens hidden one by one for it": "为此逐个遮蔽的词元",
    "finding words": "识别词语",
    # score
    "Tell how likely a bundle finds a text: by token, sentence or document": "模型认为文本有多可能：按词元、句子或文档",
    "Print log-probabilities (nats), tokens and text of each unit, separated by tabs.": (
        "打印每个单位的对数概率（奈特）、词元数和文本，以制表符分隔。"
    ),
    "The first token is predicted from the begin of text, and the end of text is predicted too: by token it stands in "
    "a row of its own, else it counts with the last unit.": (
        "第一个词元由文本起始预测，文本结尾也被预测：按词元时独占一行，否则计入最后一个单位。"
    ),
    "Texts; without one, or by -, standard input": "文本；不给或给 - 则读标准输入",
    "unit: token, sentence or document": "单位：token 词元、sentence 句子或 document 文档",
    "Take each line as a text of its own": "每行各为一篇文本",
    "{total:.2f} nats over {tokens} tokens, {mean:.4f} a token": "{tokens} 个词元共 {total:.2f} 奈特，每个 {mean:.4f}",
    # few-shot labels
    "Label texts with a language model that sees a few labelled examples, without training": (
        "让语言模型看几个带标签的例子后给文本贴标签，无需训练"
    ),
    "Print label, probability and text, separated by tabs; with --measure the accuracy, calibrated and not.": (
        "输出标签、概率和文本，以制表符分隔；用 --measure 则输出校准前后的准确率。"
    ),
    "The model reads examples drawn from --examples and takes the label that it finds likeliest as a continuation. "
    "What the prompt alone makes it prefer is divided out (contextual calibration) unless --no-calibrate is given.": (
        "模型先读从 --examples 抽取的例子，再取它认为最可能接下去的标签。提示本身造成的偏好会被除去（上下文校准），"
        "除非给出 --no-calibrate。"
    ),
    "Labelled examples in the prompt": "提示中带标签的例子数",
    "How an example is written, with {text} and then {label}; \\n is a line's end (default: two plain lines)": (
        "例子的写法，先 {text} 后 {label}；\\n 表示换行（默认：普通的两行）"
    ),
    "What stands between examples; \\n is a line's end": "例子之间的内容；\\n 表示换行",
    "What the prompt begins with; \\n is a line's end": "提示的开头；\\n 表示换行",
    "Draw examples as labels occur, instead of equally many of each label": (
        "按标签的出现比例抽取例子，而不是每个标签一样多"
    ),
    "How tokens of a label count: sum (its probability) or mean (fair to labels of different lengths)": (
        "标签的各词元如何计分：sum（其概率）或 mean（对长短不一的标签公平）"
    ),
    "Answer without contextual calibration": "不做上下文校准直接回答",
    "File of labelled texts (CSV, TSV, JSONL) from which the shots are drawn": (
        "从中抽取例子的带标签文本文件（CSV、TSV、JSONL）"
    ),
    "Words for the labels, as 0=negative,1=positive; without it labels stand for themselves": (
        "标签所用的词，如 0=负面,1=正面；不给则标签用其本身"
    ),
    "File of labelled texts whose labels are told and compared: the accuracy": (
        "带标签的文本文件，逐条判断并比较：准确率"
    ),
    "Label only so many texts, the first": "只标注前这么多条文本",
    "Seed of the choice of examples and of the bootstrap": "选例子和自助法的随机种子",
    "Print the prompt of the first text and stop": "打印第一条文本的提示后停止",
    "Print JSON, a line a text": "输出 JSON，每条文本一行",
    "[TEXT…|-]": "[文本…|-]",
    "texts": "文本",
    "uncalibrated": "未校准",
    "calibrated": "已校准",
    "always the commonest label": "总是最常见的标签",
    "smallest difference that so many texts show": "这么多文本能显示的最小差异",
    "{count} of {texts} prompts hold fewer than {shots} examples: more don't fit the model's context": (
        "{texts} 条提示中有 {count} 条的例子少于 {shots} 个：模型的上下文放不下更多"
    ),
    "{count} of {texts} texts stand in the prompt with their labels: they are not measured": (
        "{texts} 个文本中有 {count} 个已连同标签出现在提示中：不参与测量"
    ),
    "of {count} of {texts} texts only the beginning fits the model's context": (
        "{texts} 条文本中有 {count} 条只有开头放得进模型的上下文"
    ),
    # conversations
    "Talk with a bundle that has a chat template, turn by turn": "与带对话模板的模型包逐轮交谈",
    "Answer each line of standard input, knowing what was said before; /reset forgets it, Ctrl-D ends.": (
        "记住前文，逐行回答标准输入；/reset 忘掉前文，Ctrl-D 结束。"
    ),
    "Where a conversation outgrows the model's context, its oldest questions and answers are forgotten.": (
        "对话超出模型的上下文时，最早的问答会被忘掉。"
    ),
    "Most tokens of an answer": "每个回答最多的词元数",
    "What the model is told to be": "告诉模型它应是什么",
    "With --chat: what the model is told to be": "与 --chat 一起用：告诉模型它应是什么",
    "Take the prompt as a question and answer it, by the bundle's chat template": (
        "把提示当作问题，按模型包的对话模板回答"
    ),
    "Print JSON, a line an answer": "输出 JSON，每个回答一行",
    "a line is a question; /reset forgets what was said, Ctrl-D ends": "一行一个问题；/reset 忘掉前文，Ctrl-D 结束",
    "forgotten": "已忘掉",
    "{error}": "{error}",
    "the conversation no longer fits the model's context: {count} older questions with their answers are "
    "forgotten": "对话已超出模型的上下文：忘掉了较早的 {count} 组问答",
    "the answer was cut at {count} tokens; --max-tokens allows more": (
        "回答在 {count} 个词元处被截断；--max-tokens 可放宽"
    ),
    # pairs of a source and a target
    "Pairs are lines of SOURCE<TAB>TARGET, JSON lines with the keys source and target, or two files of which line n of "
    "one belongs to line n of the other, with a comma between their names: news.de,news.en.": (
        "文本对可以是“源文本<制表符>目标文本”的行、带 source 与 target 键的 JSON 行，或两个逐行对应的文件，"
        "文件名之间加逗号：news.de,news.en。"
    ),
    "Of a model that reads pairs the targets are scored, each given its source.": (
        "对读取文本对的模型，给定每个源文本来为其目标文本评分。"
    ),
    "A model that reads pairs scores the targets, each given its source.": (
        "读取文本对的模型在给定源文本的条件下为目标文本评分。"
    ),
    "A model that reads pairs writes the target of the prompt, which is its source: greedily with --temperature 0.": (
        "读取文本对的模型以提示为源文本，写出其目标文本：--temperature 0 时贪心地写。"
    ),
    "Take each line of the prompt as one of its own, and write a line for each": (
        "提示的每行各为一个提示，并各写出一行"
    ),
    "pairs left out": "略去的文本对",
}
