// What an embedder names beside the host: failures and values, tensors, and what goes in and out of Lua.
@_exported public import ChainBase
@_exported public import ChainTensors
@_exported public import LuaBridge
