"""Sentences in Chinese: tokenizers and training."""

__all__ = ["SENTENCES"]

SENTENCES = {
    "Budget in minutes of training, of each part where a recipe has some": (
        "训练时间预算（分钟）；配方有多个部分时为每个部分的预算"
    ),
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
    "Who prepares the text: a number of processes, ray, or a Ray cluster's address like ray://host:10001": (
        "由谁准备文本：进程数、ray，或 Ray 集群地址，如 ray://host:10001"
    ),
    "Write TensorBoard events beside metrics.jsonl": "除 metrics.jsonl 外另写 TensorBoard 事件",
    # tokenize: keys of the kind
    "Files, folders, globs; - is standard input. Keys of the kind: --tokens.lowercase true": (
        "文件、文件夹、通配符；- 表示标准输入。该种类的键：--tokens.lowercase true"
    ),
    # GloVe
    "counting co-occurrences": "统计共现次数",
    "{pairs} pairs of words near each other, in {time}": "{pairs} 对相邻的词，用时 {time}",
    "pass {done:.1f} of {all}": "第 {done:.1f} / {all} 遍",
    "pairs/s": "对/秒",
    "Decoders, LSTMs and encoders go to ONNX (.onnx), which onnxruntime runs; a graph is kept only after what it gives "
    "was compared.": "解码器、LSTM 与编码器可写成 onnxruntime 能运行的 ONNX（.onnx）；保留计算图之前会比较其输出。",
    # training a model on, adapters, memory
    "{count} of them trained; in memory: weights {weights}, gradients {gradients}, optimiser {optimiser}": (
        "其中 {count} 个参与训练；内存：权重 {weights}，梯度 {gradients}，优化器 {optimiser}"
    ),
    "at most {size} of memory while training": "训练时内存最多 {size}",
    "{part} % of what the device can do (MFU), {speed}": "达到设备算力的 {part} %（MFU），{speed}",
    "{speed} while training": "训练速度 {speed}",
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
