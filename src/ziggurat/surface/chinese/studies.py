"""Sentences in Chinese: climbing and studies."""

__all__ = ["SENTENCES"]

SENTENCES = {
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
}
