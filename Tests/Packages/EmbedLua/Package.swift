// swift-tools-version:6.1
import PackageDescription

// A program of somebody else that embeds Lua through LuaBridge alone.
let package = Package(
  name: "EmbedLua",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "chainrun", path: "../../..")],
  targets: [
    .executableTarget(name: "embed-lua", dependencies: [.product(name: "LuaBridge", package: "chainrun")])
  ],
  swiftLanguageModes: [.v6]
)
