"""Sentences in Chinese: what probably comes next while somebody types."""

__all__ = ["SENTENCES"]

SENTENCES = {
    "Suggest what comes next while somebody types, and tell how many keys it saves": (
        "在输入时建议接下来的内容，并给出节省的按键数"
    ),
    "Print what may follow each text, what saves most keys first: probability and continuation, separated by a tab.": (
        "输出每个文本之后可能出现的内容，最省按键的在前：概率和续文，以制表符分隔。"
    ),
    "With --measure each text is typed again instead: before each key the bundle sees what stands there and offers "
    "--suggestions continuations; of those that agree wholly with the text the longest is taken, which costs one key, "
    "and where none agrees the next character is typed, which costs one too. Nothing is ever deleted. Measure on texts "
    "that the model was not trained on.": (
        "给出 --measure 时改为把每个文本重新输入一遍：每次按键之前，模型包看到已有的文字，给出 --suggestions 个续文；"
        "其中与原文完全一致的取最长的一个，算一次按键；没有一致的就输入下一个字符，也算一次。从不删除。"
        "请在模型未训练过的文本上测量。"
    ),
    "Type the texts again, and tell how many keys suggestions save": "把文本重新输入一遍，给出建议节省的按键数",
    "Measure on so many characters of each text, the first": "只在每个文本的前若干字符上测量",
    "Begin no other text after so many minutes of measuring": "测量满若干分钟后不再开始新的文本",
    "Seed of the bootstrap of what is measured; 0 unless told": "所测结果的自助抽样随机种子；未指定时为 0",
    "Completions offered after each key": "每次按键后给出的续文数",
    "Likeliest beginnings that are gone on with": "继续往下预测的最可能开头数",
    "Most tokens of a suggestion": "一条建议最多的词元数",
    "text": "文本",
    "typed": "键入",
    "taken": "采纳",
    "keys saved": "节省按键",
    "keys saved: {saved:.1%} (95 % interval {low:.1%} to {high:.1%}); {accepted:.1%} of offers are taken, "
    "{milliseconds:.1f} ms a key": (
        "节省按键 {saved:.1%}（95% 区间 {low:.1%} 至 {high:.1%}）；"
        "{accepted:.1%} 的建议被采纳，每次按键 {milliseconds:.1f} 毫秒"
    ),
}
