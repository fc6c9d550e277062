"""What the assistant learns and hears: NLU examples, rules, pipeline components, our channel and tracker store.

Python 3.10 (Rasa's environment); imports nothing of ours but `texts` and `sealing`.
"""
