"""Sentences in Chinese: tasks on labelled files."""

__all__ = ["SENTENCES"]

SENTENCES = {
    "Train, measure and use a model of a task on your own labelled files: classification, names, roles, translation": (
        "用自己的带标签文件训练、测量和使用任务模型：分类、命名实体、语义角色、翻译"
    ),
    "Say who did what to whom: the predicates of sentences and the role that each stretch of words has for them": (
        "说出谁对谁做了什么：句子的谓词，以及各词段对它们所担任的角色"
    ),
    "argument F1, predicates given": "论元 F1（给定谓词）",
    "argument F1, predicates found": "论元 F1（自行找出谓词）",
    "Find the names in sentences: persons, places, organisations, or whatever the files label": (
        "在句子中找出名称：人、地点、组织，或文件所标注的任何类别"
    ),
    "span F1": "片段 F1",
    "Turn questions into queries to a database (SQL)": "把问题变成数据库查询（SQL）",
    "SQLite file that questions are about, or its schema (CSV)": "问题所涉及的 SQLite 文件，或其模式（CSV）",
    "SQLite file to ask, instead of the one that the model was trained on": (
        "要查询的 SQLite 文件，代替训练模型时所用的"
    ),
    "execution match": "执行匹配",
    "Say which label a text has: topic, sentiment, intent": "判断文本的标签：主题、情感、意图",
    # -- train
    "Train a model of a task on labelled files, after a baseline where one is quick, and measure both": (
        "用带标签的文件训练任务模型：有快速的基线时先训练它，再测量两者"
    ),
    "Train a model, calibrate it on the dev split, measure it on the test split, beside a baseline where one is "
    "quick.": ("训练模型，在 dev 部分上校准把握程度，在 test 部分上测量，并与快速的基线比较。"),
    "The baseline's run is the folder baseline in that of the run. Ctrl-C saves a checkpoint; --resume goes on where "
    "it stopped.": "基线的运行存于运行文件夹中的 baseline。按 Ctrl-C 会保存检查点；--resume 从中断处继续。",
    "Files of labelled examples (texts: CSV, TSV, JSONL; words: columns, CoNLL-U; roles: JSONL; pairs: "
    "news.de,news.en, TSV, TMX). Recipe keys: --model.layers 2": (
        "带标签样例的文件（文本：CSV、TSV、JSONL；词：分栏、CoNLL-U；角色：JSONL；句对：news.de,news.en、TSV、TMX）。"
        "配方的键：--model.layers 2"
    ),
    "A recipe's name or a TOML file; unless told, one that suits the files and begins with --start or --vectors": (
        "配方名或 TOML 文件；未给出时用适合这些文件、且能以 --start 或 --vectors 开始的一个"
    ),
    "recipe: {recipe}, since {why}; --recipe names another": "配方：{recipe}，因为{why}；可用 --recipe 另行指定",
    "A bundle whose model is trained on inside the recipe's, with its tokenizer": (
        "在配方的模型之内继续训练的模型包，连同其分词器"
    ),
    "File held out to tune on, instead of a tenth of the others": "用于调参的保留文件，代替其余文件的十分之一",
    "File held out to measure on, instead of a tenth of the others": "用于测量的保留文件，代替其余文件的十分之一",
    "measured on {split}": "在 {split} 部分上测得",
    # -- evaluate
    "Measure a model of a task on labelled files: metrics with intervals, each class, confusions, the surest errors": (
        "在带标签的文件上测量任务模型：带区间的指标、各类别、混淆、最有把握的错误"
    ),
    "Print what the model's answers are worth; a label that the model never learnt is said, and counts as missed.": (
        "输出模型回答的质量；模型从未学过的标签会被指出，并算作遗漏。"
    ),
    "Files of labelled examples (texts: CSV, TSV, JSONL; words: columns, CoNLL-U; roles: JSONL; pairs: "
    "news.de,news.en, TSV, TMX). How they are read: --text.encoding gb18030, --text.label_field mood": (
        "带标签样例的文件（文本：CSV、TSV、JSONL；词：分栏、CoNLL-U；角色：JSONL；句对：news.de,news.en、TSV、TMX）。"
        "读取方式：--text.encoding gb18030、--text.label_field mood"
    ),
    "length ratio": "长度比",
    "empty": "空译文",
    "copies of what was asked": "照抄原文",
    "going in circles": "反复循环",
    "Translate: write what follows from a source, sentence by sentence": "翻译：逐句写出原文的译文",
    "Draw what is confused with what: a file .png or .svg; repeat it for both": (
        "画出哪些标签被混淆：.png 或 .svg 文件；可重复以同时得到两者"
    ),
    "{file}: no font of this machine has all its characters; give some by --fonts": (
        "{file}：本机没有字体包含其全部字符；请用 --fonts 提供"
    ),
    "said": "所判标签",
    "macro F1": "宏平均 F1",
    "calibration error": "校准误差",
    "precision": "精确率",
    "recall": "召回率",
    "right label": "正确标签",
    "said instead": "误判为",
    "times": "次数",
    "label": "标签",
    "examples": "样例数",
    "The surest errors: how sure, what was said, what is right, the text": (
        "最有把握的错误：把握程度、模型的回答、正确答案、文本"
    ),
    "The worst errors: what was said, what is right, the text": "最差的错误：模型的回答、正确答案、文本",
    "exact match": "完全匹配",
    "labels that the model never learnt: {labels}": "模型从未学过的标签：{labels}",
    # -- predict
    "Have a model of a task answer what stands in files, one answer a line": "让任务模型回答文件中的内容，每行一个答案",
    "Print the answers in the order of the files: label and text, words with labels, sentences with roles, or texts.": (
        "按文件的顺序输出答案：标签和文本、带标签的词、带角色的句子，或文本。"
    ),
    "Files are read and answers printed bit by bit, so that they may be larger than memory.": (
        "文件分批读取、答案分批输出，因此文件可以大于内存。"
    ),
    "What is asked: tables or JSONL with texts, a text a line, words (columns, CoNLL-U, JSONL); -: standard input. "
    "How it is read: --text.encoding gb18030, --text.field review": (
        "所问的内容：含文本的表格或 JSONL、每行一个文本，或词（分栏、CoNLL-U、JSONL）；- 为标准输入。"
        "读取方式：--text.encoding gb18030、--text.field review"
    ),
    "{count} answers": "{count} 个答案",
    # -- serve
    "Serve a model of a task over HTTP: JSON in, JSON out": "通过 HTTP 提供任务模型：输入 JSON，输出 JSON",
    'Answer POST /answers with {"inputs": […]} until Ctrl-C; GET / says what the model can tell.': (
        '回答 POST /answers，内容为 {"inputs": […]}，直到按下 Ctrl-C；GET / 说明模型能判断什么。'
    ),
    "Nobody is asked who they are: on another address than 127.0.0.1, everybody who reaches it may ask.": (
        "不验证身份：若地址不是 127.0.0.1，任何能够到达它的人都可以提问。"
    ),
    "Address to listen on; 0.0.0.0 is every one of this machine": "监听的地址；0.0.0.0 为本机的所有地址",
    "Port to listen on; 0: any that is free": "监听的端口；0 为任一空闲端口",
    "serving {task} on {address}; Ctrl-C ends it": "正在 {address} 提供 {task}；按 Ctrl-C 结束",
}
