"""Make tests/golden/hugging_face/: a tiny BERT as transformers itself saves it, and its logits.

    python tests/golden/hugging_face.py tests/golden/hugging_face

needs torch and transformers.
"""

import sys

import numpy as np
import torch
import transformers

PIECES = [
    *("[PAD]", "[unused1]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *"今天气很好我们去公园使用语言模型来预测下一个词的概率。，",
    *("a", "##b", "bert"),
]


def main(folder: str) -> None:
    """Write the model, its tokenizer and logits.npz."""
    config = transformers.BertConfig(
        vocab_size=len(PIECES),
        hidden_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=16,
        pad_token_id=0,
    )
    model = transformers.BertForPreTraining(config).eval()
    rng = np.random.RandomState(1)
    with torch.no_grad():
        for name, weight in sorted(model.named_parameters()):
            noise = rng.uniform(-0.5, 0.5, tuple(weight.shape))
            weight.copy_(torch.tensor(noise + float(name.endswith("LayerNorm.weight"))))
    model.save_pretrained(folder)
    vocab = {piece: i for i, piece in enumerate(PIECES)}
    tokenizer = transformers.BertTokenizer(vocab=vocab, model_max_length=16)
    tokenizer.save_pretrained(folder)
    ids = rng.randint(len(PIECES), size=(3, 12))
    mask = (np.arange(12) < np.array([[12], [7], [9]])).astype(int)
    segments = (np.arange(12) >= np.array([[12], [4], [6]])).astype(int)
    with torch.no_grad():
        outputs = model(*(torch.tensor(x) for x in (ids, mask, segments)))
    np.savez_compressed(
        f"{folder}/logits.npz",
        input_ids=ids.astype(np.int32),
        input_mask=mask.astype(np.int32),
        segment_ids=segments.astype(np.int32),
        masked_lm=outputs.prediction_logits.numpy(),
        pair=outputs.seq_relationship_logits.numpy(),
    )


if __name__ == "__main__":
    main(sys.argv[1])
