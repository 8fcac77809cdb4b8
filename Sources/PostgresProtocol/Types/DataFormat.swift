/// How a value travels: as PostgreSQL's text form or as its binary (`typsend`) form. Raw values are the protocol's.
public enum DataFormat: Int16, Hashable, Sendable {
    case text = 0
    case binary = 1
}
