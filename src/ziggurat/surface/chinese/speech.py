"""Sentences in Chinese: what is said in recordings."""

__all__ = ["SENTENCES"]

SENTENCES = {
    "Write down what is said in recordings, ranked by any bundle": "写下录音中所说的话，由任一模型包排序",
    "Print each recording's file and the likeliest text, separated by a tab.": (
        "每行输出一个录音文件及其最可能的文本，以制表符分隔。"
    ),
    "The recogniser is pocketsphinx, for English (extra speech). Of its best hypotheses that one is printed whose "
    "weighted sum of log-probabilities, of the sound and of the text by the bundle, is highest.": (
        "识别器为 pocketsphinx，用于英语（附加组件 speech）。在它的最佳假设中，输出加权对数概率之和最高的一个："
        "声音的对数概率，加上模型包给出的文本对数概率。"
    ),
    "An n-gram bundle of words in small letters can also be heard with: ziggurat export BUNDLE words.arpa makes the "
    "file.": "以小写单词为词元的 n 元模型包也可直接用于识别：ziggurat export BUNDLE words.arpa 写出所需的文件。",
    "A text has no capitals and no signs, so a bundle ranks best that was trained on such text.": (
        "文本没有大写字母和标点，因此用同样的文本训练的模型包排序效果最好。"
    ),
    "The name of a recording among the references is its file's without the ending.": (
        "参考文本中录音的名称是其文件名去掉后缀。"
    ),
    "WAV files: 16,000 Hz, one channel, 16 bits": "WAV 文件：16,000 赫兹、单声道、16 位",
    "Weight of the language model's log-probability beside the sound's": "语言模型对数概率的权重（声音的权重为 1）",
    "Weight of the recogniser's own language model in that": "其中识别器自带语言模型的权重",
    "Nats for each word: above 0 favours more words, below 0 fewer": (
        "每个词的加分（奈特）：大于 0 偏向较多的词，小于 0 偏向较少的词"
    ),
    "Bundle that ranks the hypotheses; without one the recogniser's order stays": (
        "为假设排序的模型包；未给出时保持识别器的顺序"
    ),
    "ARPA file that the recogniser hears with, in place of its own language model": (
        "识别时代替识别器自带语言模型的 ARPA 文件"
    ),
    "Hypotheses of a recording that are ranked": "每个录音参与排序的假设数",
    "Beginnings kept at each word where the bundle searches the recogniser's lattice too": (
        "模型包同时搜索识别器的词格时，每个词处保留的开头数"
    ),
    "Rank each recording as what is said next after those before it": "把每个录音当作紧接在前面录音之后所说的话来排序",
    "With --beam the bundle also searches all that the recogniser still thought possible, and what it finds is ranked "
    "with the rest.": "给出 --beam 时，模型包还会搜索识别器认为可能的一切，找到的结果与其余假设一起排序。",
    "Transcripts to count errors against: lines of NAME<TAB>text, or Sphinx's": (
        "用于计算错误的参考文本：每行“名称<制表符>文本”，或 Sphinx 的格式"
    ),
    "{file}: the recogniser's dictionary lacks {count} of its words, which are never heard, such as {few}": (
        "{file}：其中 {count} 个词不在识别器的词典里，永远不会被识别出来，例如 {few}"
    ),
    "{file}: {count} hypotheses": "{file}：{count} 个假设",
    "word error rate {rate:.1%} (95 % interval {low:.1%} to {high:.1%}); the recogniser's own first {first:.1%}, "
    "the best of each list {best:.1%}": (
        "词错误率 {rate:.1%}（95% 区间 {low:.1%} 至 {high:.1%}）；"
        "识别器自己的首选 {first:.1%}，每个列表中最好的 {best:.1%}"
    ),
}
