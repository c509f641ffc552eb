import ChainBase
import LuaBridge

/// A kind of native object with a life of its own: scripts hold a handle, the host opens and closes the object.
///
/// ```swift
/// ResourceType("device", options: CameraOptions.self, open: { try Camera($0.id) }, close: { $0.stop() })
///   .method("snap") { (camera: Camera) async throws -> Tensor in try await camera.snap() }
///   .stream("frames") { (camera: Camera) -> AsyncThrowingStream<Tensor, Error> in camera.frames() }
/// ```
/// In Lua: `uses = { cam = camera.device { id = 0 } }`, then `self.cam:snap()`. Equal options are the same object.
public struct ResourceType: Sendable {
  public let name: String
  public let doc: String?
  private let optionType: ChainType
  private let open: @Sendable (ChainValue, ResourceContext) throws -> any Resource
  private var methods: [ResourceFace.Method] = []

  /// - Parameters:
  ///   - options: a `ChainRecord` of what `{ … }` takes; its fields are checked when a graph is loaded.
  ///   - open: makes the object, on a thread that may block; what it throws fails the load of the graph.
  ///   - close: puts it away, on a thread that may block, when nothing uses it any more.
  public init<Options: ChainRecord, Object: Sendable>(
    _ name: String, doc: String? = nil, options: Options.Type, open: @escaping @Sendable (Options) throws -> Object,
    close: @escaping @Sendable (Object) -> Void
  ) {
    self.name = name
    self.doc = doc
    optionType = Options.chainType
    self.open = { given, _ in
      OpenedObject(object: try open(try Options(given)), close: close)
    }
  }

  /// A method: `self.cam:snap(…)`. Plain ones run on the lane and must be short.
  public func method<Object: Sendable, each Argument: LuaReadable, Result: LuaPushable>(
    _ name: String, doc: String? = nil, parameters: [String] = [],
    _ body: @escaping @Sendable (Object, repeat each Argument) throws -> Result
  ) -> ResourceType {
    adding(name, doc, Annotation.function((repeat (each Argument).self), Result.self, parameters), .plain { resource, stack in
      var arguments = ArgumentReader(stack: stack, function: name, skipping: 1)
      let object = try OpenedObject<Object>.object(resource)
      let result = try body(object, repeat try arguments.next((each Argument).self))
      try result.push(to: stack)
      return 1
    })
  }

  /// A method that may wait. The object stays open until it has ended.
  public func method<Object: Sendable, each Argument: LuaReadable & Sendable, Result: LuaPushable & Sendable>(
    _ name: String, doc: String? = nil, parameters: [String] = [],
    _ body: @escaping @Sendable (Object, repeat each Argument) async throws -> Result
  ) -> ResourceType {
    adding(name, doc, Annotation.function((repeat (each Argument).self), Result.self, parameters), .waiting { resource, stack in
      var arguments = ArgumentReader(stack: stack, function: name, skipping: 1)
      let object = try OpenedObject<Object>.object(resource)
      let values = (repeat try arguments.next((each Argument).self))
      return {
        let result = try await body(object, repeat each values)
        return { stack in
          try result.push(to: stack)
          return 1
        }
      }
    })
  }

  /// A method that gives a stream: `for frame in self.cam:frames() do … end`.
  public func stream<Object: Sendable, each Argument: LuaReadable, Elements: AsyncSequence & Sendable>(
    _ name: String, doc: String? = nil, parameters: [String] = [],
    _ body: @escaping @Sendable (Object, repeat each Argument) throws -> Elements
  ) -> ResourceType where Elements.Element: LuaPushable & Sendable {
    adding(name, doc, Annotation.stream((repeat (each Argument).self), Elements.Element.self, parameters), .streaming { resource, stack in
      var arguments = ArgumentReader(stack: stack, function: name, skipping: 1)
      let object = try OpenedObject<Object>.object(resource)
      return PrimitiveStream(try body(object, repeat try arguments.next((each Argument).self)), name: name)
    })
  }

  private func adding(_ name: String, _ doc: String?, _ annotation: String, _ body: NativeBody) -> ResourceType {
    var copy = self
    copy.methods.append(ResourceFace.Method(name: name, body: body, doc: doc, annotation: annotation))
    return copy
  }

  func kind(in module: String) -> ResourceKind {
    var face = ResourceFace()
    face.methods = methods
    let type = optionType
    return ResourceKind("\(module).\(name)", doc: doc, options: { _ in type }, face: face, open: open)
  }
}

/// An embedder's object as a resource.
private final class OpenedObject<Object: Sendable>: Resource {
  let object: Object
  private let closing: @Sendable (Object) -> Void

  init(object: Object, close: @escaping @Sendable (Object) -> Void) {
    self.object = object
    closing = close
  }

  func close() { closing(object) }

  static func object(_ resource: any Resource) throws(LuaError) -> Object {
    guard let opened = resource as? OpenedObject<Object> else {
      throw LuaError(.runtime, "this method belongs to objects of another type than the one that was opened")
    }
    return opened.object
  }
}
