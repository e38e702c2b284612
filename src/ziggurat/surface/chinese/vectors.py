"""Sentences in Chinese: word vectors."""

__all__ = ["SENTENCES"]

SENTENCES = {
    # vectors that embeddings begin with, and those of a climb
    "learning word vectors": "学习词向量",
    "What embeddings begin with: a bundle of word vectors, or a recipe's name": (
        "词嵌入从何开始：词向量模型包，或一个配方名"
    ),
    "embeddings begin with vectors of {source}: {found} of {of} tokens found": (
        "词嵌入从 {source} 的向量开始：{of} 个词元中找到 {found} 个"
    ),
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
}
