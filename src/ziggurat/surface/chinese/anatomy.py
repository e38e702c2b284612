"""Sentences in Chinese: what a model is made of."""

__all__ = ["SENTENCES"]

SENTENCES = {
    # describe: what a model is made of
    "Show what a bundle or a recipe is made of, where it came from, what it computes and what memory it takes": (
        "说明模型包或配方由什么组成、来自何处、计算多少、占多少内存"
    ),
    "Show a bundle's manifest, where every row is an entry of its ziggurat.json, and draw what its model is made of.": (
        "显示模型包的清单（每一行都是其 ziggurat.json 中的一项），并画出模型的组成。"
    ),
    "A recipe is drawn before anything is trained. Beside each part stand its parameters and its share of the "
    "floating-point operations; tables say where the numbers come from, and what memory training and writing take.": (
        "配方在训练之前即可画出。每个部件旁标出其参数量及其占浮点运算的比例；表格说明数字的来历，以及训练和生成所需的内存。"
    ),
    "A bundle, the run folder that holds it, or a recipe's name or file. Recipe keys: --model.layers 6": (
        "模型包、其所在的运行文件夹，或配方的名称或文件。配方的键：--model.layers 6"
    ),
    "Hash every file of a bundle first, the card included": "先校验模型包中每个文件（含模型卡）的哈希",
    "Sequences of a training batch; unless told, the recipe's": "训练批次的序列数；未指定时取配方的值",
    "Tokens of each that are read at once; unless told, the recipe's": "每个序列一次读入的词元数；未指定时取配方的值",
    "Tokens of the source, where it translates; unless told, the window": (
        "源文的词元数（用于翻译模型）；未指定时与窗口相同"
    ),
    "Sequences written at once": "同时生成的序列数",
    "Tokens of each when it ends; unless told, the context": "每个序列结束时的词元数；未指定时取上下文长度",
    "Draw the model: a file .svg, .png or .html; repeat it for several": (
        "画出模型：.svg、.png 或 .html 文件；可重复给出"
    ),
    "the model is damaged, so there is nothing but the manifest": "模型已损坏，因此只有清单",
    "picture: {file}": "图：{file}",
    "{name}: {form}, {count} parameters": "{name}：{form}，{count} 个参数",
    "for {rows} × {tokens} tokens; here the recipe trains in {precision}": (
        "按 {rows} × {tokens} 个词元计；在本机上以 {precision} 训练"
    ),
    "<1 %": "<1 %",
    "ids": "词元编号",
    "source ids": "源文词元编号",
    "part": "部件",
    "of all alike": "全部同类",
    "gives": "输出",
    "symbols": "符号",
    "share of operations": "运算占比",
    "{times} blocks: {count}": "{times} 块共 {count}",
    "memory": "编码结果",
    "decoder stack": "解码器",
    "encoder stack": "编码器",
    "LSTM": "LSTM",
    "word vectors": "词向量",
    "token embeddings": "词元嵌入",
    "shared": "共用",
    "learned positions": "学习的位置",
    "sinusoidal positions": "正弦位置",
    "rotary positions": "旋转位置",
    "segment embeddings": "片段嵌入",
    "n-gram tables": "n 元表",
    "rows of n-gram tables": "n 元表的行数",
    "width of n-gram tables": "n 元表的宽度",
    "attention": "注意力",
    "cross-attention": "交叉注意力",
    "feed-forward": "前馈层",
    "SwiGLU": "SwiGLU",
    "GELU": "GELU",
    "GELU (tanh)": "GELU（tanh）",
    "ReLU": "ReLU",
    "squared ReLU": "平方 ReLU",
    "SiLU": "SiLU",
    "RMSNorm": "RMSNorm",
    "LayerNorm": "LayerNorm",
    "LSTM layer": "LSTM 层",
    "output": "输出层",
    "tied to the embeddings": "与嵌入共用矩阵",
    "pooler": "池化层",
    "dense layer of the head": "预测头的全连接层",
    "← keys, values of the encoder": "← 编码器给出的键和值",
    "q and k turned by rotary positions": "q 和 k 按旋转位置转动",
    "layers": "层数",
    "width between layers": "层间向量宽度",
    "heads": "注意力头数",
    "heads of keys and values": "键和值的头数",
    "width of a head": "每个头的宽度",
    "hidden width, feed-forward": "前馈层的隐藏宽度",
    "ids of the vocabulary": "词表大小",
    "width of an embedding": "嵌入宽度",
    "cells of a layer": "每层的单元数",
    "kinds of segments": "片段种类",
    "longest text": "最长文本",
    "blocks of the encoder": "编码器块数",
    "blocks of the decoder": "解码器块数",
    "tokens read at once": "一次读入的词元数",
    "tokens of the source": "源文的词元数",
    "tokens that are guessed": "要猜的词元数",
    "floating-point operations": "浮点运算",
    "{flops} a token": "每词元 {flops}",
    "{tokens} tokens": "{tokens} 个词元",
    "{tokens} tokens beside {source} of a source": "{tokens} 个词元及源文 {source} 个词元",
    "reading {what}": "读入 {what}",
    "writing token {place} with the cache": "用缓存生成第 {place} 个词元",
    "a training step on {rows} × {tokens} tokens": "在 {rows} × {tokens} 个词元上训练一步",
    "memory for training": "训练所需内存",
    "memory for training, {rows} × {tokens} tokens, {precision}": "训练所需内存，{rows} × {tokens} 个词元，{precision}",
    "memory for generating {rows} × {tokens} tokens": "生成 {rows} × {tokens} 个词元所需内存",
    "weights": "权重",
    "gradients": "梯度",
    "Adam's two moments": "Adam 的两个矩",
    "16-bit copies of matrices": "矩阵的 16 位副本",
    "activations kept for the backward pass": "为反向传播保留的激活值",
    "log-probabilities of all ids": "全部词元的对数概率",
    "in all": "合计",
    "highest at any moment": "任一时刻的最高值",
    "cache of keys and values": "键和值的缓存",
    "states of the cells": "单元的状态",
}
