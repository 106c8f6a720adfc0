"""Documents -> pairs of segments: `[CLS] a [SEP] b [SEP]` of the length asked for."""
