"""What the assistant can do: answer policy, fill a form, open a ticket, tell progress, hand over to a person.

A rasa-sdk action server (`python -m actions`). An action translates: slots in, one service call, one utterance out.
"""
