package com.acme.shop;

import org.slf4j.LoggerFactory;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.classic.spi.ILoggingEvent;

/** The same failure through logback, with packaging data, and root cause first. */
public class Logging {
    public static void main(String[] args) {
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        context.reset();
        context.setPackagingDataEnabled(true);
        PatternLayoutEncoder encoder = new PatternLayoutEncoder();
        encoder.setContext(context);
        encoder.setPattern("%d %-5level [%thread] %logger{20} - %msg%n" + (args[0].equals("root-first") ? "%rEx" : "%xEx"));
        encoder.start();
        ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
        appender.setContext(context);
        appender.setEncoder(encoder);
        appender.start();
        var log = context.getLogger(Checkout.class);
        log.addAppender(appender);
        log.info("serving order A-17");
        try { new Checkout().place("A-17"); } catch (RuntimeException e) { log.error("POST /orders failed", e); }
        log.info("serving order A-18");
    }
}
