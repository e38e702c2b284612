"""Sentences in Chinese: models from and for other programs."""

__all__ = ["SENTENCES"]

SENTENCES = {
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
    # word vectors of other tools
    "The format; unless told, by the file's content": "格式；未指定时按文件内容判断",
    "Word vectors (word2vec text and binary, GloVe text, fastText .vec) may be compressed.": (
        "词向量（word2vec 文本与二进制、GloVe 文本、fastText .vec）可以是压缩文件。"
    ),
    "Word vectors go to word2vec text (.txt, .vec) or binary (.bin) or to GloVe text (.glove); .gz compresses.": (
        "词向量可写成 word2vec 文本（.txt、.vec）、二进制（.bin）或 GloVe 文本（.glove）；再加 .gz 则压缩。"
    ),
    # GGUF
    "{program} did not read it back: {package} is not installed here": "{program} 没有读回：这里没有安装 {package}",
    "read back by {program}: {said}": "由 {program} 读回：{said}",
    "{tokens} tokens equal": "{tokens} 个词元相同",
    "what it gives at {positions} places differs by at most {largest:.1e} beside the larger of 1 and its size": (
        "{positions} 个位置上的输出最多相差 {largest:.1e}（相对于 1 与其大小中较大者）"
    ),
    "log-probabilities differ by at most {largest:.1e} nats": "对数概率最多相差 {largest:.1e} 奈特",
    "likeliest ids are the same at {same_best} of {positions} places": (
        "{positions} 个位置中 {same_best} 个的最可能词元相同"
    ),
    "{same_written} of {written} greedy ids are the same": "贪心生成的 {written} 个词元中 {same_written} 个相同",
    "{file}: {size} bytes, read back and compared": "{file}：{size} 字节，已读回并比较",
    "Numbers of a GGUF file: f32 (default), f16, bf16, q8_0, q4_0 or q4_1": (
        "GGUF 文件的数值类型：f32（默认）、f16、bf16、q8_0、q4_0 或 q4_1"
    ),
    "Decoders go to GGUF (.gguf), which llama.cpp reads; a file is kept only after its tokens and probabilities "
    "were compared.": ("解码器可写成 llama.cpp 能读的 GGUF（.gguf）；保留文件之前会比较词元与概率。"),
    "Decoders in GGUF files (.gguf: GPT-2, Llama, Mistral, Qwen2, Qwen3) become 32-bit, whatever their numbers were.": (
        "GGUF 文件（.gguf：GPT-2、Llama、Mistral、Qwen2、Qwen3）中的解码器一律转为 32 位，无论原来的数值类型。"
    ),
}
