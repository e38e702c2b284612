"""What the command line says, in Chinese: the sentences of the source and what stands for them."""

from ziggurat.surface.anatomy.chinese import SENTENCES as ANATOMY

__all__ = ["SENTENCES"]

SENTENCES = {
    # the overview, and what every command says
    "Ziggurat: the tower of language models on your own text.": "Ziggurat：在你自己的文本上逐级攀登语言模型之塔。",
    "train all families, rank them, write a report": "训练所有模型族，排名，并写出报告",
    "Commands (ziggurat COMMAND --help):": "命令（ziggurat 命令 --help）：",
    "Every command takes --lang en or --lang zh.": "每个命令都可加 --lang en 或 --lang zh。",
    "Usage:": "用法：",
    "Arguments:": "参数：",
    "Options:": "选项：",
    "Show this message and exit.": "显示此说明后退出。",
    "[required]": "[必填]",
    "[default: ": "[默认：",
    "error": "错误",
    "warning": "警告",
    "next: {command}": "下一步：{command}",
    "Print JSON": "输出 JSON",
    "Say nothing but warnings": "除警告外不作声",
    "A bundle, or the run folder that holds it": "模型包，或其所在的运行文件夹",
    "Files, folders, globs; - is standard input": "文件、文件夹、通配符；- 表示标准输入",
    # progress
    "run folder: {folder}": "运行文件夹：{folder}",
    "{documents} documents, {size} bytes, {tokens} tokens of {mean:.2f} bytes": (
        "{documents} 篇文档，{size} 字节，{tokens} 个词元，平均每个 {mean:.2f} 字节"
    ),
    "going on from step {step}": "从第 {step} 步继续",
    "{count} n-grams": "{count} 个 n 元组",
    "{count} parameters": "{count} 个参数",
    "{line} …": "{line}……",
    "{line}": "{line}",
    "{time} left": "剩余 {time}",
    "loss": "损失",
    "bits per byte": "每字节比特数",
    "held out": "保留集",
    "tokens/s": "词元/秒",
    "words/s": "词/秒",
    "step": "步",
    "reading text": "读取文本",
    "choosing the tokenizer": "选择分词器",
    "training the tokenizer": "训练分词器",
    "tokenizing": "分词",
    "training": "训练",
    "writing the bundle": "写出模型包",
    "measuring on held-out text": "在保留文本上测量",
    "writing samples": "写出样例",
    # climb and reproduce
    "report: {path}": "报告：{path}",
    "no report: {why}": "没有报告：{why}",
    "Train all families on your text, rank them in bits per byte, write a report": (
        "在你的文本上训练所有模型族，按每字节比特数排名，并写出报告"
    ),
    "Train n-gram, LSTM, GPT and their mixture within the budget and say which to use, with intervals and tests.": (
        "在预算内训练 n 元、LSTM、GPT 及其混合，并说明该用哪个，附区间与检验。"
    ),
    "All are measured on the same held-out documents. The folder of the run then holds one bundle per model and "
    "report.html, which opens offline.": (
        "全部在相同的保留文档上测量。运行文件夹中随后有每个模型的模型包和可离线打开的 report.html。"
    ),
    "Budget in minutes of wall time, everything included": "总时间预算（分钟），包括一切",
    "Climb on text that is on every machine instead: en or zh": "改用每台机器上都有的文本：en 或 zh",
    "Field or column that holds the text; found where it is not given": "文本所在的字段或列；不给则自动寻找",
    "Encoding of every file; recognised where it is not given": "所有文件的编码；不给则自动识别",
    "Make a report's numbers again and compare each with what it says": "重新算出报告中的数字并逐一比较",
    "Score the held-out documents again and print each figure beside the report's; exit code 3 where one differs.": (
        "重新给保留文档评分，把每个数字与报告的并列输出；若有不同则退出码为 3。"
    ),
    "A climb's report.html, or its folder": "攀登的 report.html，或其文件夹",
    "Train every model again, step for step, instead of only scoring with the bundles": (
        "逐步重新训练每个模型，而不只是用模型包评分"
    ),
    # rows of tables
    "report": "报告",
    "now": "现在",
    "difference": "差",
    "model": "模型",
    "parameters": "参数",
    "size": "大小",
    "bundle": "模型包",
    "family": "模型族",
    "95 % interval": "95% 区间",
    "perplexity per token": "每词元困惑度",
    "documents": "文档数",
    "bytes of text": "文本字节数",
    "tokens": "词元数",
    "tokens per second": "每秒词元数",
    "bytes on disk": "磁盘字节数",
    "tokenizer": "分词器",
    "vocabulary": "词表大小",
    "bytes per token": "每词元字节数",
    "characters per token": "每词元字符数",
    "seconds to train": "训练秒数",
    "MB encoded per second": "每秒编码 MB",
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
    # export and import
    "Write a bundle's model in a foreign format": "以外部格式写出模型",
    "Write a bundle's model as a file that other software reads; what was written is read back and compared.": (
        "把模型写成其他软件可读的文件；写出后读回并比较。"
    ),
    "Transformers opens bundles of a form that it knows as they are; --to transformers writes the same as a plain "
    "folder.": ("transformers 可直接打开它认识的模型包；--to transformers 把同样内容写成普通文件夹。"),
    "The file or folder to write": "要写出的文件或文件夹",
    "The format; unless told, by the file's ending": "格式；未指定时按文件后缀判断",
    "{file}: {size} bytes, read back and equal": "{file}：{size} 字节，读回后一致",
    "Make a bundle of a model in a foreign format": "把外部格式的模型变成模型包",
    "Open a model that other software made and save it as a bundle, to be used like every other.": (
        "打开其他软件制作的模型并存为模型包，之后与其他模型包用法相同。"
    ),
    "The file or folder to open": "要打开的文件或文件夹",
    "The bundle's folder; unless told, FILE without its ending, or FOLDER-bundle": (
        "模型包文件夹；未指定时为去掉后缀的文件名，或“文件夹名-bundle”"
    ),
    "Folders of transformers come with their tokenizer; nothing is downloaded, and no pickle is opened.": (
        "transformers 的文件夹连同分词器一起导入；不下载任何内容，也绝不打开 pickle。"
    ),
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
    # recipe
    "List the recipes, or print one with every key explained": "列出配方，或打印其一并解释每个键",
    "List the recipes, or print one as a complete TOML file; any key can be changed by --section.key VALUE.": (
        "列出配方，或把其一打印为完整的 TOML 文件；任何键都可用 --节.键 值 修改。"
    ),
    "Which recipe; without one, all are listed": "哪个配方；不给则列出全部",
    "Leave the explanations out": "不要解释",
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
    # tokenize
    "Show how text becomes tokens: pieces, speed, bytes per token": "显示文本如何变成词元：片段、速度、每词元字节数",
    "Train a tokenizer on text, or open one, and show pieces of the text, bytes per token and speed.": (
        "在文本上训练分词器或打开已有的，显示文本片段、每词元字节数和速度。"
    ),
    "A piece is made of whole characters: bytes of one character that are tokens of their own are shown together.": (
        "片段由完整字符组成：同一字符的各字节即使是不同词元也一起显示。"
    ),
    "Kind of tokenizer to train on the text": "要在文本上训练的分词器种类",
    "Most ids of the tokenizer that is trained": "所训练分词器的最大词表",
    "Use this tokenizer.json, bundle or run folder instead of training one": (
        "不训练，改用此 tokenizer.json、模型包或运行文件夹"
    ),
    "Write the tokenizer to this tokenizer.json": "把分词器写到此 tokenizer.json",
    "Pieces of the first text to show; 0 shows none": "显示第一篇文本的多少个片段；0 不显示",
    # train
    "Train one model on your text, by a recipe, within a budget": "按配方在预算内用你的文本训练一个模型",
    "Train a model: prepare the text, train a tokenizer and the model on the training split, measure it on the rest.": (
        "训练模型：准备文本，在训练集上训练分词器和模型，在其余文本上测量。"
    ),
    "Ctrl-C saves a checkpoint; --resume goes on where it stopped and ends with the same weights.": (
        "Ctrl-C 会保存检查点；--resume 从中断处继续，最终权重相同。"
    ),
    "Files, folders, globs; - is standard input. Recipe keys: --model.layers 6": (
        "文件、文件夹、通配符；- 表示标准输入。配方键：--model.layers 6"
    ),
    "Budget in minutes of training": "训练预算（分钟）",
    "Budget in optimiser steps": "训练预算（优化步数）",
    "Budget in passes over the text": "训练预算（遍数）",
    "Seed of everything that is drawn": "一切抽样的随机种子",
    "Folder of the run; unless told, a new one below runs/": "运行文件夹；未指定时在 runs/ 下新建",
    "Folder of a run that was interrupted, to go on with": "要继续的中断运行的文件夹",
    "Write TensorBoard events beside metrics.jsonl": "除 metrics.jsonl 外另写 TensorBoard 事件",
    # vectors that embeddings begin with, and those of a climb
    "learning word vectors": "学习词向量",
    "What embeddings begin with: a bundle of word vectors, or a recipe's name": (
        "词嵌入从何开始：词向量模型包，或一个配方名"
    ),
    "embeddings begin with vectors of {source}: {found} of {of} tokens found": (
        "词嵌入从 {source} 的向量开始：{of} 个词元中找到 {found} 个"
    ),
    # study
    "Experiments over many models: how large should word vectors be?": "跨多个模型的实验：词向量该取多少维？",
    "Train word vectors of several sizes, measure each by your yardstick, say which to choose": (
        "训练多种维数的词向量，按你的标准逐一测量，并说明该选哪个"
    ),
    "Choose the size of word vectors: the smallest that is not significantly worse than the best.": (
        "选择词向量的维数：取不显著差于最好者的最小维数。"
    ),
    "Each size is trained from several seeds on the same text and measured by the same questions. The folder then "
    "holds the chosen bundle, study.json, and the report as HTML and PNG. The same command goes on where it was "
    "interrupted.": (
        "每种维数都在同一文本上以多个种子训练，并以相同的题目测量。文件夹中随后有所选的模型包、study.json，"
        "以及 HTML 和 PNG 报告。中断后，同一命令会从中断处继续。"
    ),
    "Files, folders, globs; - is standard input. Recipe keys: --training.epochs 3": (
        "文件、文件夹、通配符；- 表示标准输入。配方键：--training.epochs 3"
    ),
    "Numbers in a vector to try, ascending, separated by commas": "要试的向量维数，从小到大，以逗号分隔",
    "What to measure by: loss, analogies=FILE, similarity=FILE, labels=FILE; given again, the first decides": (
        "按什么测量：loss 损失、analogies=文件 类比、similarity=文件 相似度、labels=文件 标签；可多次给出，以第一个为准"
    ),
    "Models of each size, each from a seed of its own": "每种维数训练几个模型，各用自己的种子",
    "A recipe of word vectors by name (skipgram, cbow, glove), or a TOML file": (
        "词向量配方名（skipgram、cbow、glove），或 TOML 文件"
    ),
    "First of the seeds": "第一个种子",
    "Folder of the study, to begin or to go on with; unless told, a new one below runs/": (
        "研究所在的文件夹，新建或继续；未指定时在 runs/ 下新建"
    ),
    "size {size}, seed {seed} ({number} of {total})": "{size} 维，种子 {seed}（{total} 个中的第 {number} 个）",
    "estimating noise in co-occurrences": "估计共现中的噪声",
    "{file} is in English: no font of this machine has Chinese characters": "{file} 用英文：本机没有中文字体",
    "score": "分数",
    "behind the best": "落后最好者",
    "interval": "区间",
    "verdict": "结论",
    "chosen": "所选",
    "worse": "较差",
    "as good as the best": "与最好者分不出高下",
    # vectors evaluate
    "Measure vectors by analogies and word similarity, with intervals and against another model": (
        "用类比题和词语相似度测量词向量，附区间，并可与另一模型比较"
    ),
    "Measure accuracy on analogies by section, and rank correlation with people's scores of word pairs.": (
        "按小节测量类比题的正确率，以及与人对词对打分的等级相关。"
    ),
    "Questions with a word that the vocabulary lacks are skipped and counted. Intervals are 95 % bootstrap intervals "
    "over pairs of words, which the questions of a section share. Accuracies are those of word2vec and gensim.": (
        "含有词表外词语的题目会被跳过并计数。同一小节的题目共用词对，因此区间为按词对自助抽样的 95% 区间。"
        "正确率的定义与 word2vec 和 gensim 相同。"
    ),
    "Analogies know only the so many most frequent words; 0: all of them": "类比题只使用最常见的这么多个词；0 表示全部",
    "Analogies by 3CosAdd, or by 3CosMul (multiply)": "3CosAdd 或 3CosMul（multiply）",
    "Tell capitals from small letters, instead of taking the most frequent form": "区分大小写，而不是取最常见的写法",
    "Give pairs' unknown words vectors made of their character n-grams": "词对中的未知词用其字符 n 元组生成向量",
    "File of analogies, four words a line under ': section'; may be repeated": (
        "类比题文件，每行四个词，小节以“: 名称”开头；可重复给出"
    ),
    "File of word pairs, two words and a score a line; may be repeated": "词对文件，每行两个词和一个分数；可重复给出",
    "Another bundle or file of vectors, asked the same and compared": "另一个模型包或词向量文件，回答同样的题目并比较",
    "Write the figures into the bundle's manifest and card": "将数字写入模型包的清单和模型卡",
    "Exit code 3 where a total is significantly below that of --against": "若某个总分显著低于 --against，则退出码为 3",
    "{name}: analogies among the {words} most frequent words, {method}": (
        "{name}：在最常见的 {words} 个词中的类比题，{method}"
    ),
    "word similarity: Spearman's rank correlation with people's scores": "词语相似度：与人的打分的斯皮尔曼等级相关",
    "against the other, on what both know: difference with its 95 % interval": (
        "与另一模型比较（仅双方都认识的词）：差及其 95% 区间"
    ),
    "section": "小节",
    "accuracy": "正确率",
    "right": "答对",
    "asked": "已问",
    "unknown": "含未知词",
    "set": "题集",
    "Spearman": "斯皮尔曼",
    "with unknown as 0": "未知记为 0",
    "ours": "本模型",
    "other's": "另一模型",
    "p": "p 值",
    "semantic": "语义",
    "syntactic": "语法",
    "overall": "总计",
    # vectors: words that are near, analogies, maps
    "Commands (ziggurat {group} COMMAND --help):": "命令（ziggurat {group} 命令 --help）：",
    "Ask word vectors: near words, analogies, the odd one out, a map": "查询词向量：近邻词、类比、不合群的词、词图",
    "A bundle of word vectors or its run folder, or a file of vectors that other software made": (
        "词向量模型包或其运行文件夹，或其他软件制作的向量文件"
    ),
    "reading {file} … ('ziggurat import' makes a bundle of it, which opens at once)": (
        "读取 {file}……（用 ziggurat import 做成模型包后可立即打开）"
    ),
    "Words in an answer": "每个答案的词数",
    "Allow only the so many most frequent words as answers": "只允许最常见的这么多个词作为答案",
    "add: 3CosAdd; multiply: 3CosMul, where no word decides alone": "add：3CosAdd；multiply：3CosMul，不由单个词决定",
    "Show the words nearest to a word": "显示与一个词最近的词",
    "Show the words whose vectors point most nearly the same way: the cosine of the angle is 1 where they agree.": (
        "显示向量方向最接近的词：方向一致时夹角余弦为 1。"
    ),
    "A word that the vocabulary lacks is made of its character n-grams where the vectors have them.": (
        "词表中没有的词，若向量含字符 n 元组，则由其 n 元组合成。"
    ),
    "Words, each a question of its own; - reads one a line": "词，每个各为一问；- 表示从标准输入逐行读取",
    "'{word}' is not in the vocabulary: its vector is made of its character n-grams": (
        "“{word}”不在词表中：其向量由字符 n 元组合成"
    ),
    "no word is left that could be an answer; allow more with --restrict": "没有剩下可作答案的词；请用 --restrict 放宽",
    "Complete an analogy: A is to B as C is to which word?": "完成类比：A 之于 B 犹如 C 之于哪个词？",
    "Show what is to C as B is to A: the words nearest to B − A + C, none of these three.": (
        "显示与 C 的关系犹如 B 与 A 的词：最接近 B − A + C 且不是这三者的词。"
    ),
    "man king woman asks: man is to king as woman is to what?": "男人 国王 女人 即问：男人之于国王，犹如女人之于什么？",
    "Three words, for example man king woman; - reads three a line": "三个词，例如 男人 国王 女人；- 表示每行读三个",
    "Find the word that does not belong to the others": "找出不合群的词",
    "Print the word whose vector points least the way of all the words' mean: the one that fits least.": (
        "输出与所有词平均方向相差最大的词，即最不合群者。"
    ),
    "Three words or more; - reads a set a line": "三个或更多词；- 表示每行读一组",
    "cosine to the mean of all: {others}": "与平均方向的余弦：{others}",
    "Measure how alike words are": "测量词与词有多相似",
    "Print the cosine between two words' vectors, −1 to 1; of more words, a table of every pair.": (
        "输出两个词向量的余弦（−1 到 1）；词更多时输出两两对照表。"
    ),
    "Two words, or more for a table; - reads a set a line": "两个词，更多则成表；- 表示每行读一组",
    "Write word vectors as a file that other software reads": "把词向量写成其他软件可读的文件",
    "Make a bundle of word vectors in a foreign format": "把外部格式的词向量变成模型包",
    "Draw a map of words: a picture, and a page in which one can zoom and search": (
        "画出词图：一张图片，以及可缩放和搜索的网页"
    ),
    "Draw words in the plane, those with vectors of like direction close together, as a picture and as a page.": (
        "把词画在平面上，向量方向相近的词靠在一起，存为图片和网页。"
    ),
    "The map says how much of the space it could keep. The page is one file, opens offline, and shows more labels the "
    "further one zooms in.": "图上说明保留了多少原空间的信息。网页是单个文件，可离线打开，放大后显示更多标签。",
    "Words to draw with those near them; - reads them; unless told, the most frequent": (
        "要画的词（连同近邻）；- 表示从标准输入读取；不给则画最常见的词"
    ),
    "File to write: .png, .svg or .html; repeat it for several": "要写出的文件：.png、.svg 或 .html；可重复给出",
    "Words drawn around each word that is given; 0 draws only those given": "每个给定词周围画多少个词；0 只画给定的词",
    "Most frequent words to draw where none is given": "未给定词时画多少个最常见的词",
    "Draw only words among the so many most frequent": "只画最常见的这么多个词之内的词",
    "pca: two straight axes; tsne: keeps neighbours; auto: pca up to 30 words": (
        "pca：两条直轴；tsne：保持近邻；auto：30 词以内用 pca"
    ),
    "Colours for words without a given one, by k-means; 0 for one colour": (
        "没有给定中心词时按 k 均值分成多少种颜色；0 为单色"
    ),
    "Headline of the map": "图的标题",
    "Font file, or folder of fonts, to draw with beside those of this machine": "除本机字体外另用的字体文件或文件夹",
    "Seed of the layout: the same seed draws the same map": "布局的随机种子：相同种子画出相同的图",
    "{file}: no font of this machine has Chinese characters, so boxes stand in their place; install one "
    "(Noto Sans CJK), or give one with --fonts; a page uses the fonts of who opens it": (
        "{file}：本机没有含汉字的字体，汉字处只显示方框；请安装一种（如 Noto Sans CJK）或用 --fonts 指定；"
        "网页使用打开者的字体"
    ),
    "{file}: no font of this machine has Chinese characters, so it is written in English": (
        "{file}：本机没有含汉字的字体，故用英文书写"
    ),
    "The {count} most frequent words": "最常见的 {count} 个词",
    "Words near {words}": "{words} 的近邻",
    "The closer two words, the more alike their vectors, as far as two straight axes tell: these hold "
    "{explained:.0%} of the variance in {width} dimensions.": (
        "两词越近，向量越相似，但只就两条直轴所见而言：它们保留了 {width} 维中 {explained:.0%} 的方差。"
    ),
    "Neighbours have vectors of like direction. How far apart groups lie, and how wide they are, means nothing: t-SNE "
    "keeps only who is near whom.": (
        "相邻的词向量方向相近。各组之间的距离和各组的大小没有意义：t-SNE 只保持谁与谁相邻。"
    ),
    "Trustworthiness {trust:.2f}, where 1 says that a word's {neighbours} nearest on the map are its nearest in all "
    "{width} dimensions.": (
        "可信度 {trust:.2f}：1 表示每个词在图上的 {neighbours} 个近邻也是它在全部 {width} 维中的近邻。"
    ),
    "{count} of {total} words have a dot without a label, for want of room.": (
        "{total} 个词中有 {count} 个因没有位置而只画点、不写字。"
    ),
    "Scroll to zoom in, and more labels appear; drag to move, double-click to see all. Point at a dot for the words "
    "nearest to it; choose a colour above the map to see its group alone.": (
        "滚动放大会出现更多标签；拖动可移动，双击显示全图。指向一个点可看与它最近的词；点击图上方的颜色只看该组。"
    ),
    "Find words:": "查找词：",
    "All words, and those nearest to each": "所有词及各自的近邻",
    # word vectors of other tools
    "The format; unless told, by the file's content": "格式；未指定时按文件内容判断",
    "Word vectors (word2vec text and binary, GloVe text, fastText .vec) may be compressed.": (
        "词向量（word2vec 文本与二进制、GloVe 文本、fastText .vec）可以是压缩文件。"
    ),
    "Word vectors go to word2vec text (.txt, .vec) or binary (.bin) or to GloVe text (.glove); .gz compresses.": (
        "词向量可写成 word2vec 文本（.txt、.vec）、二进制（.bin）或 GloVe 文本（.glove）；再加 .gz 则压缩。"
    ),
    # GGUF
    "{file}: {size} bytes, read back and compared": "{file}：{size} 字节，已读回并比较",
    "Numbers of a GGUF file: f32 (default), f16, bf16, q8_0, q4_0 or q4_1": (
        "GGUF 文件的数值类型：f32（默认）、f16、bf16、q8_0、q4_0 或 q4_1"
    ),
    "Decoders go to GGUF (.gguf), which llama.cpp reads; a file is kept only after its tokens and probabilities "
    "were compared.": ("解码器可写成 llama.cpp 能读的 GGUF（.gguf）；保留文件之前会比较词元与概率。"),
    "read back by {program}: {tokens} tokens equal; log-probabilities differ by at most {largest} nats; "
    "likeliest ids are the same at {same} of {positions} places and for {same_written} of {written} greedy ids": (
        "由 {program} 读回：{tokens} 个词元相同；对数概率最多相差 {largest} 纳特；{positions} 个位置中 {same} 个的"
        "最可能词元相同，贪心生成的 {written} 个词元中 {same_written} 个相同"
    ),
    "Decoders in GGUF files (.gguf: GPT-2, Llama, Mistral, Qwen2, Qwen3) become 32-bit, whatever their numbers were.": (
        "GGUF 文件（.gguf：GPT-2、Llama、Mistral、Qwen2、Qwen3）中的解码器一律转为 32 位，无论原来的数值类型。"
    ),
    # tokenize: keys of the kind
    "Files, folders, globs; - is standard input. Keys of the kind: --tokens.lowercase true": (
        "文件、文件夹、通配符；- 表示标准输入。该种类的键：--tokens.lowercase true"
    ),
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
    "{count} of {texts} prompts hold fewer than {shots} examples: more don't fit the model's context": (
        "{texts} 条提示中有 {count} 条的例子少于 {shots} 个：模型的上下文放不下更多"
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
    "Answers to each question": "每个问题的回答数",
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
    # GloVe
    "counting co-occurrences": "统计共现次数",
    "{pairs} pairs of words near each other, in {time}": "{pairs} 对相邻的词，用时 {time}",
    "pass {done:.1f} of {all}": "第 {done:.1f} / {all} 遍",
    "pairs/s": "对/秒",
    **ANATOMY,
    "Decoders, LSTMs and encoders go to ONNX (.onnx), which onnxruntime runs; a graph is kept only after what it gives "
    "was compared.": "解码器、LSTM 与编码器可写成 onnxruntime 能运行的 ONNX（.onnx）；保留计算图之前会比较其输出。",
    # training a model on, adapters, memory
    "{count} of them trained; in memory: weights {weights}, gradients {gradients}, optimiser {optimiser}": (
        "其中 {count} 个参与训练；内存：权重 {weights}，梯度 {gradients}，优化器 {optimiser}"
    ),
    "at most {size} of memory while training": "训练时内存最多 {size}",
    "A bundle whose model is trained on, with its tokenizer, instead of a new one": (
        "在此模型包的模型上继续训练（沿用其分词器），而不是训练新模型"
    ),
    "A recipe's name (ziggurat recipe lists them; gpt where none is given), a TOML file, or a run to repeat": (
        "配方名（ziggurat recipe 列出全部；不给则为 gpt）、TOML 文件，或要重复的运行"
    ),
    "Merge an adapter (LoRA) into a bundle's model": "把适配器（LoRA）并入模型包的模型",
    "Save a bundle whose model has an adapter merged in; the bundle without it stays as it is.": (
        "保存并入适配器后的模型包；原模型包保持不变。"
    ),
    "A training with --training.lora_rank leaves its adapter in the run folder, and a bundle with it merged in.": (
        "带 --training.lora_rank 的训练会在运行文件夹中留下适配器，以及已并入它的模型包。"
    ),
    "An adapter in the form of PEFT, or the run folder that holds it": "PEFT 格式的适配器，或其所在的运行文件夹",
    "The folder of the new bundle": "新模型包的文件夹",
}
