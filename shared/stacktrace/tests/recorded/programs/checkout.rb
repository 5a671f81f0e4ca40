# One argument says which failure.
require 'json'
module Shop
  class PaymentError < StandardError; end

  class Pool
    def acquire(order)
      JSON.parse('{' + order)
    end
  end

  class Checkout
    def charge(order)
      Pool.new.acquire(order)
    rescue JSON::ParserError
      raise PaymentError, "order #{order} failed"
    end

    def place(orders)
      orders.each { |order| charge(order) }
    end

    def typo(cart)
      cart.totl
    end

    def deep(n)
      deep(n + 1)
    end
  end
end

checkout = Shop::Checkout.new
case ARGV[0]
when 'cause' then checkout.place(['A-17'])
when 'typo' then checkout.typo(nil)
when 'multiline' then raise "first line\nsecond line"
when 'deep' then checkout.deep(0)
when 'backtrace'
  begin
    checkout.place(['A-18'])
  rescue Shop::PaymentError => e
    puts "#{e.class}: #{e.message}", e.backtrace
  end
end
