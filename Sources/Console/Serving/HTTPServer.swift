import NIOCore
import NIOHTTP1
import NIOPosix

/// Answers HTTP requests on one address, with a thread of its own. Bodies of requests are read and left alone.
struct HTTPServer: Sendable {
    enum Place: Sendable {
        case address(ListenAddress)
        /// A Unix socket.
        case file(String)
    }

    private typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>

    private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private static let idleTime: TimeAmount = .seconds(60)

    private let channel: NIOAsyncChannel<Connection, Never>
    private let site: RunSite

    /// Takes the address.
    static func bind(_ place: Place, _ site: RunSite) async throws -> HTTPServer {
        let bootstrap = ServerBootstrap(group: group).serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        let channel =
            switch place {
            case .address(let address):
                try await bootstrap.bind(host: address.host, port: address.port, childChannelInitializer: connection)
            case .file(let path):
                try await bootstrap.bind(unixDomainSocketPath: path, childChannelInitializer: connection)
            }
        return HTTPServer(channel: channel, site: site)
    }

    /// The port that it has got.
    var port: Int? { channel.channel.localAddress?.port }

    /// Until the task is cancelled.
    func run() async {
        try? await withThrowingDiscardingTaskGroup { group in
            try await channel.executeThenClose { connections in
                for try await connection in connections {
                    group.addTask { [site] in await Self.serve(connection, site) }
                }
            }
        }
    }

    private static func connection(_ channel: any Channel) -> EventLoopFuture<Connection> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(IdleStateHandler(allTimeout: idleTime))
            try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
            try channel.pipeline.syncOperations.addHandler(IdleCloser())
            return try Connection(wrappingChannelSynchronously: channel)
        }
    }

    /// One request after the other. A client that is gone ends it.
    private static func serve(_ connection: Connection, _ site: RunSite) async {
        try? await connection.executeThenClose { inbound, outbound in
            var head: HTTPRequestHead?
            for try await part in inbound {
                switch part {
                case .head(let new): head = new
                case .body: continue
                case .end:
                    guard let asked = head else { return }
                    head = nil
                    let answer = await site.answer(HTTPRequest(asked))
                    try await write(answer, to: outbound, for: asked)
                    if !asked.isKeepAlive { return }
                }
            }
        }
    }

    private static func write(
        _ answer: HTTPAnswer, to outbound: NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>,
        for request: HTTPRequestHead
    ) async throws {
        var headers = HTTPHeaders(answer.headers.map { ($0.name, $0.value) })
        headers.add(name: "Content-Type", value: answer.contentType)
        headers.add(name: "Content-Length", value: String(answer.body.utf8.count))
        headers.add(name: "Connection", value: request.isKeepAlive ? "keep-alive" : "close")
        let head = HTTPResponseHead(
            version: request.version, status: HTTPResponseStatus(statusCode: answer.status), headers: headers)
        try await outbound.write(.head(head))
        if request.method != .HEAD { try await outbound.write(.body(.byteBuffer(ByteBuffer(string: answer.body)))) }
        try await outbound.write(.end(nil))
    }
}

extension HTTPRequest {
    fileprivate init(_ head: HTTPRequestHead) {
        self.init(
            method: head.method.rawValue, path: String(head.uri.prefix { $0 != "?" }),
            host: head.headers.first(name: "Host"), authorization: head.headers.first(name: "Authorization"))
    }
}

/// Closes connections on which nothing happens.
private final class IdleCloser: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }
}
