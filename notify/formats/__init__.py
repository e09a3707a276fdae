"""How each kind of channel wants its messages: one module each, with the same two functions.

`request(channel, message) -> Request` and `check(reply)`, which raises NotSent when the answer
says no. E-mail is sent in one go: `mail.send(channel, message)`.
"""
