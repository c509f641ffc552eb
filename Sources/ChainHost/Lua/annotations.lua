---@meta chain

local chain = {}

---@class chain.Chainlet
---@field init? fun(self: self)
---@field run? fun(self: self, req: any, emit: any): any
---@field run_batch? fun(self: self, reqs: any[]): any[]
---@field save? fun(self: self): any
---@field restore? fun(self: self, saved: any)
---@field close? fun(self: self)
---@field secrets table<string, string>
local Chainlet = {}

--- The chainlet with options for a need: `needs = { ask = Ask:with { timeout = 30 } }`.
---@param options chain.NeedOptions
---@return chain.Need
function Chainlet:with(options) end

--- A chainlet that inherits spec and methods.
---@generic T
---@param name chainlet.`T`
---@return fun(spec: chain.Spec): T
function Chainlet:extend(name) end

---@class chain.Need

---@class chain.NeedOptions
---@field timeout? number seconds
---@field retries? integer further attempts after failures that may be retried
---@field concurrency? integer

---@class chain.CallOptions
---@field timeout? number seconds
---@field retries? integer

---@class chain.Spec
---@field input? chain.Type|table<string, any>
---@field output? chain.Type|table<string, any>
---@field needs? table<string, chain.Chainlet|chain.Need|table>
---@field uses? table<string, any>
---@field secrets? string[]
---@field limits? chain.Limits
---@field scaling? chain.Scaling
---@field batch? chain.Batch
---@field doc? string

---@class chain.Limits
---@field memory? integer|string bytes, or "64MB"
---@field cpu? number seconds
---@field time? number seconds
---@field depth? integer nested calls
---@field output? integer|string bytes
---@field nodes? integer values in one output
---@field coroutines? integer
---@field source? integer|string bytes of one file
---@field tasks? integer calls alive at once

---@class chain.Scaling
---@field concurrency? integer requests at once in one lane
---@field queue? integer

---@class chain.Batch
---@field max_size? integer
---@field max_delay? number seconds

---@class chain.Type

---@class chain.TextOptions
---@field min? integer
---@field max? integer
---@field pattern? string a Lua pattern
---@field default? string
---@field doc? string

---@class chain.NumberOptions
---@field min? number
---@field max? number
---@field finite? boolean
---@field default? number
---@field doc? string

---@class chain.BytesOptions
---@field min? integer
---@field max? integer
---@field media? string
---@field doc? string

---@class chain.SizeOptions
---@field min? integer
---@field max? integer
---@field default? any
---@field doc? string

---@class chain.PlainOptions
---@field default? any
---@field doc? string

---@class chain.TextType : chain.Type
---@overload fun(options: chain.TextOptions): chain.TextType

---@class chain.NumberType : chain.Type
---@overload fun(options: chain.NumberOptions): chain.NumberType

---@class chain.BytesType : chain.Type
---@overload fun(options: chain.BytesOptions): chain.BytesType

---@class chain.SizedType : chain.Type
---@overload fun(options: chain.SizeOptions): chain.SizedType

---@class chain.PlainType : chain.Type
---@overload fun(options: chain.PlainOptions): chain.PlainType

---@alias chain.AnyType chain.Type|table<string, any>

---@class chain.Types
---@field string chain.TextType
---@field integer chain.NumberType
---@field number chain.NumberType
---@field boolean chain.PlainType
---@field bytes chain.BytesType
---@field blob chain.BytesType
---@field any chain.PlainType
---@field list fun(item: chain.AnyType): chain.SizedType
---@field map fun(value: chain.AnyType): chain.SizedType
---@field record fun(fields: table<string, any>): chain.PlainType
---@field enum fun(values: string[]): chain.PlainType
---@field union fun(...: chain.AnyType): chain.PlainType
---@field optional fun(type: chain.AnyType): chain.PlainType
---@field tensor fun(element: string, dimensions: (string|integer)[]): chain.PlainType
---@field stream fun(item: chain.AnyType, result?: chain.AnyType): chain.PlainType
chain.types = {}

---@class chain.Blob
---@operator len: integer
---@field sub fun(self: chain.Blob, i: integer, j?: integer): chain.Blob
---@field string fun(self: chain.Blob): string

---@class chain.Tensor

---@class chain.Port
---@field name string
---@field dtype string
---@field shape (integer|string)[] sizes, and names of what may be any size

---@class chain.Model
---@overload fun(inputs: table<string, chain.Tensor>): table<string, chain.Tensor>
---@field inputs chain.Port[]
---@field outputs chain.Port[]
---@field metadata table<string, string>
---@field device string what it runs on
---@field stats fun(self: chain.Model): { runs: integer, items: integer, largest: integer }

---@class chain.Tokens
---@field input_ids chain.Tensor int64, [texts, tokens]
---@field attention_mask chain.Tensor 1 for a token, 0 for what fills up
---@field token_type_ids chain.Tensor 0 for the first text, 1 for the second of a pair

---@class chain.EncodeOptions
---@field pair? string|string[] a second text for each
---@field max? integer tokens of one text at most, the special ones too; the file's own bound by default
---@field special? boolean without the special tokens if false

---@class chain.Tokenizer
---@field encode fun(self: chain.Tokenizer, text: string|string[], options?: chain.EncodeOptions): chain.Tokens the inputs of a model; shorter texts are filled up to the longest
---@field count fun(self: chain.Tokenizer, text: string): integer tokens of the whole text, the special ones too
---@field chunks fun(self: chain.Tokenizer, text: string, options: text.ChunkOptions): string[] as `text.chunks` by tokens
local Tokenizer = {}

--- The text of ids, without the special tokens.
---@param ids integer[]
---@return string
---@overload fun(self: chain.Tokenizer, ids: chain.Tensor): string
function Tokenizer:decode(ids) end

---@class chain.Store
---@field get fun(self: chain.Store, key: string): any
---@field set fun(self: chain.Store, key: string, value: any, ttl?: number)
---@field add fun(self: chain.Store, key: string, value: any, ttl?: number): boolean
---@field incr fun(self: chain.Store, key: string, by?: number, ttl?: number): number
---@field delete fun(self: chain.Store, key: string): boolean
---@field fetch fun(self: chain.Store, key: string, fn: (fun(key: string): any), ttl?: number): any

---@class chain.Limiter
---@field wait fun(self: chain.Limiter, tokens?: number)
---@field try fun(self: chain.Limiter, tokens?: number): boolean

---@class chain.ModelBatch
---@field max_size? integer calls in one run
---@field max_delay? number seconds
---@field pad? table<string, number> the value that fills up an input, by name

---@class chain.ModelPort
---@field dtype? string
---@field shape? (integer|string)[]

---@class chain.ModelOptions
---@field path string
---@field engine? "onnx" what runs it
---@field device? "auto"|"cpu"|"cuda"|"webgpu"
---@field threads? integer threads of one run
---@field batch? chain.ModelBatch
---@field inputs? table<string, chain.ModelPort>
---@field outputs? table<string, chain.ModelPort>
---@field warm_up? boolean|table<string, integer[]>

---@class chain.TokenizerOptions
---@field engine "tokenizer"
---@field path string a `tokenizer.json`

---@class chain.StoreOptions
---@field max_items? integer
---@field max_bytes? integer
---@field ttl? number seconds
---@field name? string tells it from another store with the same options

---@class chain.LimiterOptions
---@field rate number tokens in a second
---@field burst? number
---@field name? string tells it from another limiter with the same options

---@class chain.Sqlite

--- Declares a chainlet.
---@generic T
---@param name chainlet.`T`
---@return fun(spec: chain.Spec): T
function chain.chainlet(name) end

--- A chainlet that lives elsewhere.
---@param name string
---@return fun(spec: table): chain.Chainlet
function chain.remote(name) end

--- Values that are configured from outside: `--set name=value`.
---@param types table<string, any>
---@return table<string, any>
function chain.config(types) end

--- A read-only view of a table.
---@generic T
---@param table T
---@return T
function chain.const(table) end

---@param options chain.ModelOptions
---@return chain.Model
---@overload fun(options: chain.TokenizerOptions): chain.Tokenizer
function chain.model(options) end

---@param options? chain.StoreOptions
---@return chain.Store
function chain.store(options) end

---@param options chain.LimiterOptions
---@return chain.Limiter
function chain.limiter(options) end

---@param options table
---@return chain.Sqlite
function chain.sqlite(options) end

---@class chain.MapOptions
---@field limit? integer at most so many at once; 64 by default

--- Calls `fn` for every item, many at once, and keeps their order.
---@generic T, R
---@param list T[]
---@param fn fun(item: T, index: integer): R
---@param options? chain.MapOptions
---@return R[]
function chain.map(list, fn, options) end

--- Calls `fn` for every item, for its effects.
---@generic T
---@param list T[]
---@param fn fun(item: T, index: integer)
---@param options? chain.MapOptions
function chain.each(list, fn, options) end

---@class chain.Settled
---@field ok boolean
---@field value any
---@field error chain.Failure nil where it is ok

--- Like `map`, but never raises.
---@generic T
---@param list T[]
---@param fn fun(item: T, index: integer): any
---@param options? chain.MapOptions
---@return chain.Settled[]
function chain.settle(list, fn, options) end

--- Runs all functions at once and returns their results under the same keys.
---@param functions table<string, fun(): any>
---@return table<string, any>
function chain.all(functions) end

--- The key and the value of the first that succeeds.
---@param functions table<string, fun(): any>
---@return string key
---@return any value
function chain.race(functions) end

---@class chain.Task
---@field await fun(self: chain.Task): any
---@field cancel fun(self: chain.Task)

---@param fn fun(): any
---@return chain.Task
function chain.async(fn) end

--- Outlives the request.
---@param fn fun()
function chain.background(fn) end

---@param seconds number
function chain.sleep(seconds) end

---@generic R
---@param seconds number
---@param fn fun(): R...
---@return R...
function chain.timeout(seconds, fn) end

---@class chain.Context
---@field id string
---@field version integer
---@field entry string
---@field remaining fun(): number?

---@return chain.Context
function chain.context() end

--- A stream for a field of an input.
---@param fn fun(emit: fun(item: any))
---@return fun(): any
function chain.stream(fn) end

---@class chain.Mutex
---@field lock fun(self: chain.Mutex): chain.Lock waits; `local held <close> = mutex:lock()`

---@class chain.Lock
---@field release fun(self: chain.Lock)

---@return chain.Mutex
function chain.mutex() end

---@class chain.Description
---@field name string
---@field doc string?
---@field schema table

---@param needs table
---@return table<string, chain.Description>
function chain.describe(needs) end

--- The value of `fn`, or nil and the failure.
---@generic T, R
---@param fn fun(...: T...): R...
---@param ... T...
---@return_overload R..., nil
---@return_overload nil, chain.Failure
function chain.try(fn, ...) end

---@class chain.Failure
---@field code string
---@field message string
---@field status integer
---@field details any
---@field retry boolean
---@field chainlet string?
---@field trace any[]?
---@field cause any

---@class chain.FailureOptions
---@field code string
---@field message string
---@field status? integer
---@field details? any
---@field retry? boolean

---@param options chain.FailureOptions
---@return chain.Failure
function chain.failure(options) end

---@class chain.Log
---@field debug fun(...: any)
---@field info fun(...: any)
---@field warn fun(...: any)
---@field error fun(...: any)
chain.log = {}

--- What it catches is a failure, a table of the author's, or a text.
---@generic T, R
---@param f fun(...: T...): R...
---@param ... T...
---@return_overload true, R...
---@return_overload false, any
function pcall(f, ...) end

return chain
