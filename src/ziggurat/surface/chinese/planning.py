"""Sentences in Chinese: what a training will take."""

__all__ = ["SENTENCES"]

SENTENCES = {
    "Say what a training will take before it begins: memory, time, energy and cost, here or on other hardware": (
        "在训练开始之前说明所需的内存、时间、能耗和费用，可在本机或其他硬件上"
    ),
    "Predict memory, speed, time, energy and cost of a training, on this machine or on any other.": (
        "预测一次训练的内存、速度、时间、能耗和费用，可在本机或任何其他硬件上。"
    ),
    "Memory is told for one device, and where there are several for each way to share it among them: DDP, ZeRO-1, "
    "ZeRO-2 and FSDP. What does not fit is said, and the largest that would. Nothing is trained.": (
        "给出单个设备所需的内存；有多个设备时，按每种分摊方式分别给出：DDP、ZeRO-1、ZeRO-2 和 FSDP。放不下时会说明，"
        "并给出能放下的最大值。不训练任何东西。"
    ),
    "A recipe's name or file (gpt where none is given), and the text. Recipe keys: --model.layers 6": (
        "配方的名称或文件（未给出时为 gpt），以及文本。配方的键：--model.layers 6"
    ),
    "Here (measured, once), own (by your numbers), or the name of a data sheet": (
        "here（本机，测量一次）、own（用你给的数字），或内置数据手册的硬件名称"
    ),
    "here (measured, once), own (by your numbers), or the name of a data sheet": (
        "here（本机，测量一次）、own（用你给的数字），或内置数据手册的硬件名称"
    ),
    "Devices that train together": "一起训练的设备数",
    "GB of a device's memory": "每个设备的内存（GB）",
    "GB/s of a device's memory": "设备内存的带宽（GB/s）",
    "TFLOP/s of 16-bit matrix products, dense": "16 位稠密矩阵乘法的 TFLOP/s",
    "TFLOP/s of 32-bit matrix products": "32 位矩阵乘法的 TFLOP/s",
    "Devices of a node": "每个节点的设备数",
    "GB/s between devices of a node, one direction": "节点内设备之间单方向的 GB/s",
    "GB/s between nodes for each device, one direction": "节点之间每个设备单方向的 GB/s",
    "Power of a device in watts": "每个设备的功率（瓦）",
    "Price of a device and hour, in your currency": "每个设备每小时的价格（以你的货币计）",
    "Power of the building for that of the devices": "机房总功率与设备功率之比（PUE）",
    "Ddp, zero1, zero2 or fsdp; unless told, the faster of ddp and fsdp that fits": (
        "ddp、zero1、zero2 或 fsdp；未指定时取 ddp 与 fsdp 中放得下的较快者"
    ),
    "ddp, zero1, zero2 or fsdp; unless told, the faster of ddp and fsdp that fits": (
        "ddp、zero1、zero2 或 fsdp；未指定时取 ddp 与 fsdp 中放得下的较快者"
    ),
    "Yes or no: compute blocks again in the backward pass; unless told, where that is faster, or nothing fits "
    "without": "yes 或 no：反向传播时重新计算各块；未指定时，仅在更快或不这样就放不下时采用",
    "F32 or bf16; unless told, as the recipe trains": "f32 或 bf16；未指定时按配方",
    "f32 or bf16; unless told, as the recipe trains": "f32 或 bf16；未指定时按配方",
    "Part of a data sheet's peak that products reach": "矩阵乘法达到数据手册峰值的比例",
    "Part of the memory that is counted on": "可供使用的内存比例",
    "Sequences of a batch on each device; unless told, its share of the recipe's": (
        "每个设备上每批的序列数；未指定时均分配方的批次"
    ),
    "Tokens of the training text, where no files are named": "未给出文件时，训练文本的词元数",
    "Bytes of the training text, where no files are named": "未给出文件时，训练文本的字节数",
    "Bytes of a token, where only bytes are known": "只知道字节数时，每个词元的字节数",
    "Budget in tokens that are read": "预算：读入的词元数",
    "Budget of 20 tokens a parameter, where compute is spent best": "预算：每个参数 20 个词元，此时算力利用最充分",
    "Hours between two failures of a device; says how often to save": (
        "单个设备相邻两次故障之间的小时数；据此给出检查点的保存间隔"
    ),
    "GB/s that a checkpoint is written with": "写检查点的速度（GB/s）",
    "Nats a token that are expected at the end; says the critical batch": (
        "预期的最终损失（每个词元的奈特数）；据此给出临界批次大小"
    ),
    "Measure this machine anew": "重新测量本机",
    "measuring this machine, once: some twenty seconds": "正在测量本机（只需一次）：约二十秒",
    "{name}: {count} parameters in {precision}, on {devices} × {hardware} ({source})": (
        "{name}：{count} 个参数，{precision}，{devices} × {hardware}（{source}）"
    ),
    "memory of a device": "每个设备的内存",
    "one device": "单个设备",
    "DDP": "DDP",
    "ZeRO-1": "ZeRO-1",
    "ZeRO-2": "ZeRO-2",
    "FSDP": "FSDP",
    "optimiser": "优化器",
    "… where blocks are computed again": "… 重新计算各块时",
    "weights of other devices, in use": "正在使用的其他设备的权重",
    "there is room for {size}": "可用 {size}",
    "fits": "放得下",
    "fits if computed again": "重新计算则放得下",
    "too much": "放不下",
    "a step of {devices} × {accumulate} × {rows} × {tokens} tokens": (
        "一步，{devices} × {accumulate} × {rows} × {tokens} 个词元"
    ),
    "{way}, blocks computed again": "{way}，重新计算各块",
    "matrix products": "矩阵乘法",
    "number by number, and waiting for memory": "逐元素运算及访存等待",
    "sent by each device": "每个设备发送",
    "… not hidden behind computing": "… 未被计算掩盖的部分",
    "hidden from {tokens} tokens of a device on": "每个设备达到 {tokens} 个词元后可完全掩盖",
    "measured": "实测",
    "assumed, see --mfu": "假定，见 --mfu",
    "largest memory of the process": "进程的内存峰值",
    "tokens a second": "每秒词元数",
    "model FLOPs utilisation": "模型算力利用率（MFU）",
    "{epochs} passes over {tokens} tokens": "{tokens} 个词元读 {epochs} 遍",
    "{number} a parameter": "每个参数 {number} 个",
    "tokens that are read": "读入的词元数",
    "steps": "步数",
    "time": "时间",
    "… of it for evaluations": "… 其中用于评估",
    "… of it for counting": "… 其中用于计数",
    "all together, one after another": "依次训练，合计",
    "counts of n-grams, at most": "n 元计数，至多",
    "counts of n-grams, about": "n 元计数，约",
    "{counts}, beside the device": "{counts}（不在设备上）",
    "reading and weighing counts": "读取计数并加权",
    "counts come on top: what holding and making them takes follows from the text; name files, or give "
    "--text-tokens": "计数另计：所占内存和所需时间取决于文本；请给出文件，或给出 --text-tokens",
    "counts come on top: a processor makes them, reads {size} from them in a step and sends it to the device; "
    "the data sheet says nothing of it": (
        "计数另计：由处理器建立，每步从中读取 {size} 并送往设备；数据手册对此没有说明"
    ),
    "{name}: counting alone takes {time}: give more minutes, or fewer training.folds": (
        "{name}：仅计数就需 {time}：请增加分钟数，或减少 training.folds"
    ),
    "this plan is of the processor, but torch sees a GPU here, and training takes it: name the GPU by "
    "--hardware NAME ({names} or own), or train by the processor with --training.device cpu": (
        "此计划针对处理器，但 torch 在本机看到 GPU，训练会使用它：请用 --hardware NAME 指明该 GPU（{names} 或 own），"
        "或用 --training.device cpu 在处理器上训练"
    ),
    "energy": "能耗",
    "cost": "费用",
    "failures": "故障次数",
    "one in {time}": "每 {time} 一次",
    "save every": "保存间隔",
    "a checkpoint takes {time}": "一个检查点需 {time}",
    "time lost to both": "二者共损失的时间",
    "critical batch, tokens": "临界批次（词元数）",
    "a step has {tokens}": "每步 {tokens} 个",
    "largest that fits, all else as it is": "其余不变时放得下的最大值",
    "rows of a device": "每个设备的序列数",
    "window, in tokens": "窗口（词元数）",
    "model of this family, in parameters": "该模型族的参数量",
    "{name} does not fit: {needed} of {room}; {remedy}": "{name} 放不下：需 {needed}，可用 {room}；{remedy}",
    "{largest} would fit": "改用 {largest}，即可放下",
    "a model of {number} parameters": "{number} 个参数的模型",
    " or ": " 或 ",
    "weights, gradients and moments alone take {size}: {remedy}": "仅权重、梯度和优化器的矩就需 {size}：{remedy}",
    "share them (--devices, --strategy fsdp)": "请分摊到多个设备（--devices、--strategy fsdp）",
    "share them among more (--devices)": "请分摊到更多设备（--devices）",
    "take fewer rows and a shorter window": "请减少序列数并缩短窗口",
    "{remedy}, or take a model of {number} parameters": "{remedy}，或换用 {number} 个参数的模型",
    "this machine, {threads} thread": "本机，{threads} 个线程",
    "this machine, {threads} threads": "本机，{threads} 个线程",
    "measured here": "本机实测",
    "numbers of your own": "你给的数字",
    "given": "给定",
    "vendor's data sheet": "厂商数据手册",
    "vendor's data sheets of the H100 and of the DGX H100": "H100 与 DGX H100 的厂商数据手册",
    "vendor's data sheets of the A100 and of the DGX A100": "A100 与 DGX A100 的厂商数据手册",
    "vendor's architecture paper": "厂商架构白皮书",
    "a step has more tokens than the critical batch: more devices save little time and cost tokens": (
        "每步的词元数超过临界批次：增加设备省不了多少时间，却多费词元"
    ),
    "devices wait for each other more than they compute: give more rows, or fewer devices": (
        "设备互相等待的时间多于计算时间：请增加序列数，或减少设备"
    ),
}
