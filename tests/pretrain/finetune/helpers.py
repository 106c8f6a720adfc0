"""Helpers of the tests of fine-tuning."""

from pretrain.finetune.config import FinetuneSettings
from tests.conftest import default_settings


def finetune_settings(**values):
    """Settings of a fine-tuning with these values."""
    return default_settings(FinetuneSettings, [f"{name}={value}" for name, value in values.items()])
